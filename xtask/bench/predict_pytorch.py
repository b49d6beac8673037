"""What `boneage predict` does, as a script with PyTorch: one file in, one age out.

    python3 predict_pytorch.py IMAGE MODEL [SIDE]

Decodes, resizes, VGG16, attention head, prints the months and the milliseconds since the imports. MODEL is a
bundle of ours without a sex branch (safetensors). No hand is looked for and nothing is judged.
"""

import json
import struct
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional
from vgg16 import BLOCKS, MEANS, THREADS, WEIGHTS
import time

START = time.perf_counter()


def main(image, model, side=256):
    torch.set_num_threads(THREADS)
    with open(model, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        network = json.loads(json.loads(file.read(length))["__metadata__"]["manifest"])["model"]["network"]
    head = load_file(model)
    weights = {name: tensor.float() for name, tensor in load_file(WEIGHTS).items()}
    grey = Image.open(image).convert("L").resize((int(side), int(side)), Image.BILINEAR)
    grey = torch.from_numpy(np.asarray(grey, np.float32).copy())
    with torch.inference_mode():
        x = torch.stack([grey - mean for mean in MEANS])[None].to(memory_format=torch.channels_last)
        for block, channels in enumerate(BLOCKS, start=1):
            for number in range(1, len(channels) + 1):
                name = f"block{block}_conv{number}"
                x = torch.relu_(functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))
            x = functional.max_pool2d(x, 2)
        x = functional.batch_norm(
            x,
            *(head[f"head.batch_norm.{name}"] for name in ("running_mean", "running_variance", "gamma", "beta")),
            eps=1e-3,
        )[0].permute(1, 2, 0)

        def dense(x, name):
            return x @ head[f"head.{name}.weights"] + head[f"head.{name}.bias"]

        look = torch.relu(dense(torch.relu(dense(x, "attention_1")), "attention_2"))
        draw = head["head.attention_map.weights"].reshape(*look.shape[:2], -1)
        look = torch.sigmoid((look * draw).sum(-1) + head["head.attention_map.bias"].reshape(look.shape[:2]))
        pooled = (x * look[..., None]).mean((0, 1)) / look.mean()
        value = dense(functional.elu(dense(pooled, "dense_1")), "output")
    print(float(value) * network["age_sd"] + network["age_mean"])
    print(f"{(time.perf_counter() - START) * 1e3:.1f} ms after the imports", file=sys.stderr)


main(*sys.argv[1:])

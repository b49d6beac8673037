"""VGG16's feature stack for the peers: the weights that we ship, the images that everybody sees.

The 13 convolutions 3x3 with bias and ReLU and the 5 maxima 2x2 of Simonyan and Zisserman's configuration D.
"""

import os
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

BLOCKS = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
# Mean of each colour in the order of the weights, blue first.
MEANS = [103.939, 116.779, 123.68]
WEIGHTS = Path(__file__).resolve().parents[2] / "models/vgg16-imagenet.safetensors"

THREADS = int(os.environ.get("BENCH_THREADS", "2"))


def convolutions():
    """`(block, weight [out, in, 3, 3], bias [out], last of its block)` for each convolution."""
    tensors = load_file(WEIGHTS)
    for block, channels in enumerate(BLOCKS, start=1):
        for number in range(1, len(channels) + 1):
            name = f"block{block}_conv{number}"
            weight, bias = (np.ascontiguousarray(tensors[f"{name}.{part}"], np.float32) for part in ("weight", "bias"))
            yield block, weight, bias, number == len(channels)


def images(batch, side):
    """`[batch, 3, side, side]`: waves and a bright bar, the same as in `xtask/ours/src/forward.rs`."""
    image, y, x = np.ogrid[0:batch, 0:side, 0:side]
    wave = (x * 7 + y * 13 + x * y + 31 * image) % 256 // 2
    grey = wave + np.where(np.abs(x - side // 2) < side // 10, 127, 0)
    return np.stack([grey.astype(np.float32) - np.float32(mean) for mean in MEANS], axis=1)


def ages(batch):
    """A target for each image of a training step."""
    return np.linspace(-1, 1, batch, dtype=np.float32)

"""PyTorch as a contestant: VGG16 forward and training, and the attention head's training step.

    python3 peer_pytorch.py [--layout nchw|channels_last]
"""

import argparse

import numpy as np
import torch
from protocol import serve
from torch import nn
from torch.nn import functional
from vgg16 import THREADS, ages, convolutions, images


def stack(layout, first_block=1, last_block=5):
    layers = []
    for block, weight, bias, last in convolutions():
        if not first_block <= block <= last_block:
            continue
        layer = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
        layer.weight.data = torch.from_numpy(weight)
        layer.bias.data = torch.from_numpy(bias)
        layers += [layer, nn.ReLU(inplace=True)] + ([nn.MaxPool2d(2)] if last else [])
    return nn.Sequential(*layers).to(memory_format=layout)


def forward(batch, side, layout):
    network = stack(layout).eval()
    x = torch.from_numpy(images(batch, side)).to(memory_format=layout)

    def run():
        with torch.inference_mode():
            return network(x)

    return run, lambda: run().permute(0, 2, 3, 1).contiguous().numpy()


def train(trainable, batch, side, layout):
    """Mean over the feature map, one linear layer, mean squared error, Adam; see `training.rs`."""
    first = 5 if trainable == "block5" else 1
    frozen = stack(layout, last_block=first - 1).eval()
    network = stack(layout, first_block=first)
    last = nn.Linear(512, 1)
    nn.init.constant_(last.weight, 1 / 512)
    nn.init.zeros_(last.bias)
    parameters = list(network.parameters()) + list(last.parameters())
    adam = torch.optim.Adam(parameters, lr=1e-6, eps=1e-7, fused=True)
    x = torch.from_numpy(images(batch, side)).to(memory_format=layout)
    target = torch.from_numpy(ages(batch))
    losses = []

    def run():
        with torch.no_grad():
            features = frozen(x)
        adam.zero_grad(set_to_none=True)
        value = last(network(features).mean((2, 3)))[:, 0]
        loss = functional.mse_loss(value, target)
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))

    def result():
        while len(losses) < 4:
            run()
        return np.array(losses[:4])

    return run, result


class AttentionHead(nn.Module):
    """The paper's attention network with a 1x1 convolution in the place of the locally connected layer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(512, eps=1e-3, momentum=0.01)
        self.look = nn.Sequential(
            nn.Conv2d(512, 64, 1), nn.ReLU(), nn.Conv2d(64, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1), nn.Sigmoid()
        )
        self.read = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(512, 1024), nn.ELU(), nn.Dropout(0.25), nn.Linear(1024, 1)
        )

    def forward(self, features):
        normal = self.norm(features)
        attention = self.look(normal)
        return self.read((normal * attention).mean((2, 3)) / attention.mean((2, 3)))[:, 0]


def head(batch, layout):
    torch.manual_seed(1)
    features = torch.relu(torch.randn(batch, 512, 15, 15)).to(memory_format=layout)
    target = torch.randn(batch)
    network = AttentionHead().to(memory_format=layout).train()
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)
    last = []

    def run():
        adam.zero_grad(set_to_none=True)
        loss = functional.mse_loss(network(features), target)
        loss.backward()
        adam.step()
        last[:] = [float(loss.detach())]

    return run, lambda: np.array(last)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="channels_last")
    layout = torch.channels_last if parser.parse_args().layout == "channels_last" else torch.contiguous_format
    torch.set_num_threads(THREADS)

    def prepare(words):
        match words:
            case ["forward", batch, side]:
                return forward(int(batch), int(side), layout)
            case ["train", trainable, batch, side]:
                return train(trainable, int(batch), int(side), layout)
            case ["head", batch]:
                return head(int(batch), layout)
        raise ValueError(f"{' '.join(words)} is not done here")

    serve(f"PyTorch {torch.__version__}", prepare)


if __name__ == "__main__":
    main()

"""Fifty training steps of each network as PyTorch makes them: pytorch_training.safetensors.

Made with Python 3.11.7, torch 2.15.0, numpy 2.4.6, safetensors 0.8.0.
Run beside this file: python pytorch_training.py

Weights, running statistics, pictures and labels come from integer formulas, repeated exactly by
tests/pytorch.rs; the file keeps their SHA-256. Nothing is dropped out; Adam has PyTorch's settings
with the learning rates of RATES. For each network there are

- logits: of the first batch in evaluation mode, before training, with the running statistics
- losses: the mean cross-entropy of each step, on batches that go round the pictures
- gradient.NAME: of the loss of the first FEW pictures before training, every STRIDE-th element, with
  gradient_largest.NAME
- first.NAME, after.NAME: running statistics after the first and the last step

The stored numbers are float32 PyTorch's. The script computes in float64 too and prints how far the
two are apart.
"""

import hashlib
import json
import math
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
CLASSES, PICTURES, BATCH, SIDE, STEPS = 8, 64, 16, 48, 50
PICTURE_STREAM = 1133
# Pictures whose gradients are compared. Where a value lies on the edge of a ReLU, or two of a pool's
# window are equal, rounding decides where the gradient goes, and PyTorch in float32 and float64 part
# by percents. With few pictures there is a PICTURE_STREAM that stays clear of edges by 1e-5, and by
# 1e-6 in squeezed, whose gates hang on few hidden values (main prints by how much).
FEW = 2
# Of a tensor with more elements about so many are kept.
KEPT = 512
# Adam moves a weight whose gradient is nearly zero by the sign of a rounding error. At these rates
# PyTorch agrees with itself in float64 and in channels_last; at 1e-3 vgg's losses part by percents.
RATES = {"cnn": 1e-4, "vgg": 3e-5, "resnet": 1e-4, "squeezed": 1e-4, "resvgg": 3e-5, "mobile": 5e-5}


class Block(nn.Conv2d):
    """A convolution with BatchNorm, whose tensors are named as ours."""

    def __init__(self, inputs, outputs, window=3, stride=1, groups=1):
        super().__init__(inputs, outputs, window, stride, window // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, maps):
        return self.norm(super().forward(maps))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.dense1, self.dense2 = nn.Linear(6400, 128), nn.Linear(128, CLASSES)

    def forward(self, maps):
        for conv in [self.conv1, self.conv2]:
            maps = functional.max_pool2d(functional.relu(conv(maps)), 2)
        return self.dense2(functional.relu(self.dense1(maps.flatten(1))))


class Vgg(nn.Module):
    WIDTHS, POOLED = [1, 32, 64, 64, 128, 128, 256, 256], [1, 3, 5]

    def __init__(self):
        super().__init__()
        for number in range(1, 8):
            self.add_module(f"conv{number}", Block(self.WIDTHS[number - 1], self.WIDTHS[number]))
        self.dense = nn.Linear(256, CLASSES)

    def forward(self, maps):
        for number in range(1, 8):
            maps = functional.relu(self.get_submodule(f"conv{number}")(maps))
            maps = functional.max_pool2d(maps, 2) if number in self.POOLED else maps
        return self.dense(maps.mean((2, 3)))


class Squeeze(nn.Module):
    """Squeeze-and-excitation."""

    def __init__(self, channels, reduction):
        super().__init__()
        self.dense1 = nn.Linear(channels, channels // reduction)
        self.dense2 = nn.Linear(channels // reduction, channels)

    def forward(self, maps):
        gates = torch.sigmoid(self.dense2(functional.relu(self.dense1(maps.mean((2, 3))))))
        return maps * gates[:, :, None, None]


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride, squeeze=0):
        super().__init__()
        self.conv1, self.conv2 = Block(inputs, outputs, 3, stride), Block(outputs, outputs)
        self.squeeze = Squeeze(outputs, squeeze) if squeeze else nn.Identity()
        self.shortcut = nn.Identity() if inputs == outputs else Block(inputs, outputs, 1, stride)

    def forward(self, maps):
        inner = self.squeeze(self.conv2(functional.relu(self.conv1(maps))))
        return functional.relu(inner + self.shortcut(maps))


class ResVgg(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [1, 32, 64, 64, 128, 256]
        for number in range(1, 6):
            self.add_module(f"conv{number}", Block(widths[number - 1], widths[number]))
        self.residual1, self.residual2 = Residual(128, 128, 1), Residual(256, 256, 1)
        self.dense = nn.Linear(256, CLASSES)

    def forward(self, maps):
        maps = functional.max_pool2d(functional.relu(self.conv1(maps)), 2)
        maps = functional.relu(self.conv2(maps))
        maps = functional.max_pool2d(functional.relu(self.conv3(maps)), 2)
        maps = functional.max_pool2d(self.residual1(functional.relu(self.conv4(maps))), 2)
        maps = self.residual2(functional.relu(self.conv5(maps)))
        return self.dense(maps.mean((2, 3)))


class ResNet(nn.Module):
    SQUEEZE = 0

    def __init__(self):
        super().__init__()
        self.stem = Block(1, 16)
        inputs = 16
        for stage, outputs in enumerate([16, 32, 64, 128], 1):
            first = Residual(inputs, outputs, 1 if stage == 1 else 2, self.SQUEEZE)
            second = Residual(outputs, outputs, 1, self.SQUEEZE)
            blocks = OrderedDict(block1=first, block2=second)
            self.add_module(f"stage{stage}", nn.Sequential(blocks))
            inputs = outputs
        self.dense = nn.Linear(128, CLASSES)

    def forward(self, maps):
        maps = functional.relu(self.stem(maps))
        for stage in range(1, 5):
            maps = self.get_submodule(f"stage{stage}")(maps)
        return self.dense(maps.mean((2, 3)))


class Squeezed(ResNet):
    SQUEEZE = 4


class Mobile(nn.Module):
    BLOCKS, WIDTH = [2, 3, 2], 32

    def __init__(self):
        super().__init__()
        self.stem = Block(1, self.WIDTH)
        for stage, blocks in enumerate(self.BLOCKS, 1):
            channels = stage * self.WIDTH
            inner = nn.Module()
            if stage > 1:
                inner.depthwise = Block(channels - self.WIDTH, channels - self.WIDTH, groups=channels - self.WIDTH)
                inner.pointwise = Block(channels - self.WIDTH, channels, 1)
            for number in range(1, blocks + 1):
                block = nn.Module()
                for pair in [1, 2]:
                    block.add_module(f"depthwise{pair}", Block(channels, channels, groups=channels))
                    block.add_module(f"pointwise{pair}", Block(channels, channels, 1))
                inner.add_module(f"block{number}", block)
            self.add_module(f"stage{stage}", inner)
        self.dense = nn.Linear(3 * self.WIDTH, CLASSES)

    def forward(self, maps):
        relu = functional.relu
        maps = functional.max_pool2d(relu(self.stem(maps)), 2)
        for stage, blocks in enumerate(self.BLOCKS, 1):
            inner = self.get_submodule(f"stage{stage}")
            if stage > 1:
                maps = functional.max_pool2d(relu(inner.pointwise(relu(inner.depthwise(maps)))), 2)
            for number in range(1, blocks + 1):
                block = inner.get_submodule(f"block{number}")
                branch = relu(block.pointwise1(relu(block.depthwise1(maps))))
                branch = block.pointwise2(relu(block.depthwise2(branch)))
                maps = relu(branch + maps)
        return self.dense(maps.mean((2, 3)))


NETWORKS = {"cnn": Cnn, "vgg": Vgg, "resnet": ResNet, "squeezed": Squeezed, "resvgg": ResVgg, "mobile": Mobile}


def hashed(stream, count):
    """The first 64-bit numbers of a stream: splitmix64's output function on stream * 2^32 + index."""
    z = (np.uint64(stream) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def value(number, name, shape):
    """A tensor uniform in [centre - limit, centre + limit); `number` is its place among the sorted
    names. Weights of layers have He's limit; the biases of normalisations lie around 3 and -3, where
    few values stand on the edge of a ReLU: one that rounding pushes over it moves a gradient by
    percents. Where a depthwise convolution follows they lie around 3 alone: it would see a channel
    that is zero nearly everywhere, and the next normalisation would blow its rounding up. All else
    lies near where training begins."""
    top = (hashed(number, math.prod(shape)) >> np.uint64(40)).astype(np.float32)
    uniform = top / np.float32(2**23) - np.float32(1)
    if len(shape) > 1:
        centre, limit = 0.0, math.sqrt(6 / math.prod(shape[1:]))
    else:
        centre = 1.0 if name.endswith(("norm.weight", "running_var")) else 0.0
        if "pointwise" in name and name.endswith("norm.bias"):
            centre = 3.0
        elif name.endswith("norm.bias"):
            centre = np.where(np.arange(shape[0]) % 3 == 0, -3.0, 3.0)
        limit = 0.1
    return (uniform * np.float32(limit) + np.float32(centre)).reshape(shape)


def tensors(model):
    """Parameters and running statistics, sorted by name."""
    state = model.state_dict()
    return {name: state[name] for name in sorted(state) if not name.endswith("num_batches_tracked")}


def labels():
    """(PICTURES) classes."""
    return np.arange(PICTURES) * 5 % CLASSES


def pictures():
    """(PICTURES, SIDE, SIDE) u8: two triangle waves that the class decides, and noise, 3 : 3 : 2."""
    p, y, x = np.indices((PICTURES, SIDE, SIDE))
    noise = (hashed(PICTURE_STREAM, p.size) >> np.uint64(56)).astype(np.int64).reshape(p.shape)
    c = labels()[p]
    waves = triangle(x * (3 + c) + 2 * y + 11 * p) + triangle(y * (12 - c) + 40 * p)
    return ((3 * waves + 2 * noise) // 8).astype(np.uint8)


def triangle(t):
    """A triangle wave with period 256 between 0 and 255."""
    return np.minimum(2 * np.abs(t % 256 - 128), 255)


def network(name, dtype):
    model = NETWORKS[name]()
    with torch.no_grad():
        for number, (key, tensor) in enumerate(tensors(model).items()):
            tensor.copy_(torch.from_numpy(value(number, key, tensor.shape)))
    return model.to(dtype)


def trained(name, dtype):
    """Everything that is stored of a network, as arrays by name."""
    model = network(name, dtype)
    inputs = torch.from_numpy(pictures().astype(np.float32) / np.float32(255))[:, None].to(dtype)
    wanted = torch.from_numpy(labels())
    with torch.no_grad():
        found = {"logits": model.eval()(inputs[:BATCH])}
    found |= gradients(network(name, dtype), inputs[:FEW], wanted[:FEW])
    model.train()
    adam = torch.optim.Adam(model.parameters(), lr=RATES[name])
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH % PICTURES, step * BATCH % PICTURES + BATCH)
        adam.zero_grad()
        loss = functional.cross_entropy(model(inputs[rows]), wanted[rows])
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            found |= statistics("first", model)
        adam.step()
    found["losses"] = torch.tensor(losses, dtype=torch.float64)
    found |= statistics("after", model)
    return {key: tensor.numpy() for key, tensor in found.items()}


def gradients(model, inputs, wanted):
    """Of the mean cross-entropy in training mode, by name."""
    functional.cross_entropy(model.train()(inputs), wanted).backward()
    return {f"gradient.{key}": parameter.grad for key, parameter in model.named_parameters()}


def margin(name):
    """How far the first FEW pictures' values stay from the edges of ReLUs and pools, in float64."""
    inputs = torch.from_numpy(pictures()[:FEW].astype(np.float64) / 255)[:, None]
    model, nearest = network(name, torch.float64).train(), []
    relu, max_pool2d = functional.relu, functional.max_pool2d

    def watched_relu(maps):
        nearest.append(maps.abs().min())
        return relu(maps)

    def watched_pool(maps, side):
        windows = maps.unfold(2, side, side).unfold(3, side, side).flatten(4)
        first, second = windows.topk(2).values.unbind(-1)
        nearest.append((first - second)[first > 0].min())
        return max_pool2d(maps, side)

    functional.relu, functional.max_pool2d = watched_relu, watched_pool
    with torch.no_grad():
        model(inputs)
    functional.relu, functional.max_pool2d = relu, max_pool2d
    return min(value.item() for value in nearest)


def statistics(when, model):
    """Copies of the running statistics."""
    found = {key: tensor for key, tensor in tensors(model).items() if "running_" in key}
    return {f"{when}.{key}": tensor.clone() for key, tensor in found.items()}


def compare(name, single, double):
    """Prints how far float32 is from float64, relative to the largest of each tensor."""
    losses = np.abs(single["losses"] / double["losses"] - 1).max()
    print(f"{name}: losses {losses:.1e} of 1e-3", end="")
    for start, bound in [("logits", 1e-4), ("gradient.", 1e-3), ("first.", 3e-5), ("after.", 2e-2)]:
        pairs = [(single[key], double[key]) for key in single if key.startswith(start)]
        far = max([np.abs(a - b).max() / np.abs(b).max() for a, b in pairs], default=0.0)
        print(f", {start.rstrip('.')} {far:.1e} of {bound:g}", end="")
    print(f"; edges are {margin(name):.1e} away; losses from {single['losses'][0]:.3f} to {single['losses'][-1]:.3f}")


def stride(count):
    """How far apart the kept elements of a tensor lie: coprime to the sizes that occur."""
    step = -(-count // KEPT)
    while math.gcd(step, 30) != 1:
        step += 1
    return step


def sha256(array):
    """The SHA-256 of an array's little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    stored, facts = {}, {"torch": torch.__version__, "stride": {}, "sha256": {"pictures": sha256(pictures())}}
    for name in NETWORKS:
        single, double = trained(name, torch.float32), trained(name, torch.float64)
        compare(name, single, double)
        for key, tensor in tensors(network(name, torch.float32)).items():
            facts["sha256"][f"{name}.{key}"] = sha256(tensor.numpy())
        for key, array in single.items():
            if key.startswith("gradient."):
                largest = f"{name}.{key.replace('gradient', 'gradient_largest', 1)}"
                stored[largest] = np.array([np.abs(array).max()], dtype=np.float32)
                facts["stride"][f"{name}.{key}"] = stride(array.size)
                array = array.reshape(-1)[:: stride(array.size)]
            stored[f"{name}.{key}"] = np.ascontiguousarray(array, dtype=np.float32)
    path = HERE / "pytorch_training.safetensors"
    # One key: safetensors writes several in an order that changes from run to run.
    save_file(stored, path, metadata={"facts": json.dumps(facts, sort_keys=True)})
    path.chmod(0o644)


if __name__ == "__main__":
    main()

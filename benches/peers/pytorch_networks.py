"""PyTorch's form of the networks in networks.py."""

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, maps):
        inner = functional.relu(self.norm1(self.conv1(maps)))
        return functional.relu(self.norm2(self.conv2(inner)) + self.shortcut(maps))


def build(blocks, side=48):
    """(network, its layers by the prefix of their tensors' names)."""
    layers, named = [], {}
    channels, flat = 1, None
    for block in blocks:
        kind = block["kind"]
        if kind == "convolution":
            layers += convolution(block, channels, named)
            channels = block["outputs"]
            side = (side + 2 * block["padding"] - block["window"]) // block["stride"] + 1
            side //= 2 if block["pool"] else 1
        elif kind == "residual":
            layer = Residual(channels, block["outputs"], block["stride"])
            name_residual(block["name"], layer, named)
            layers.append(layer)
            channels, side = block["outputs"], (side - 1) // block["stride"] + 1
        elif kind == "depthwise":
            conv = nn.Conv2d(channels, channels, 3, block["stride"], 1, groups=channels, bias=False)
            norm = nn.BatchNorm2d(channels)
            named[block["name"]], named[f"{block['name']}.norm"] = conv, norm
            layers += [conv, norm, nn.ReLU()]
            side = (side - 1) // block["stride"] + 1
        elif kind == "mean":
            layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            flat = channels
        elif kind == "flatten":
            layers.append(nn.Flatten())
            flat = channels * side * side
        elif kind == "dense":
            layer = named[block["name"]] = nn.Linear(flat, block["outputs"])
            layers += [layer, nn.ReLU()] if block["relu"] else [layer]
            flat = block["outputs"]
        elif kind == "dropout":
            layers.append(nn.Dropout(block["share"]))
        else:
            raise ValueError(f"no block of kind {kind}")
    return nn.Sequential(*layers), named


def convolution(block, channels, named):
    """The layers of one convolution block."""
    conv = nn.Conv2d(channels, block["outputs"], block["window"], block["stride"],
                     block["padding"], bias=not block["norm"])
    named[block["name"]] = conv
    layers = [conv]
    if block["norm"]:
        norm = named[f"{block['name']}.norm"] = nn.BatchNorm2d(block["outputs"])
        layers.append(norm)
    if block["relu"]:
        layers.append(nn.ReLU())
    if block["pool"]:
        layers.append(nn.MaxPool2d(2))
    return layers


def name_residual(name, layer, named):
    named[f"{name}.conv1"], named[f"{name}.conv1.norm"] = layer.conv1, layer.norm1
    named[f"{name}.conv2"], named[f"{name}.conv2.norm"] = layer.conv2, layer.norm2
    if not isinstance(layer.shortcut, nn.Identity):
        conv, norm = layer.shortcut
        named[f"{name}.shortcut"], named[f"{name}.shortcut.norm"] = conv, norm


def tensors(named):
    """Every parameter and running statistic by the name that the weight files use."""
    found = {}
    for prefix, layer in named.items():
        for name, tensor in layer.state_dict().items():
            if name != "num_batches_tracked":
                found[f"{prefix}.{name}"] = tensor
    return found


def restore(named, weights):
    """Sets every tensor; the names must be the same on both sides."""
    ours = tensors(named)
    if ours.keys() != weights.keys():
        raise ValueError(f"weights of other names: {sorted(ours.keys() ^ weights.keys())}")
    with torch.no_grad():
        for name, tensor in ours.items():
            tensor.copy_(torch.from_numpy(weights[name]))


def drawn(blocks, seed):
    """Weights as PyTorch begins with, and normalisations as if they had been trained a while."""
    torch.manual_seed(seed)
    _, named = build(blocks)
    made = tensors(named)
    for name, tensor in made.items():
        if ".norm." in name:
            centre = 1.0 if name.endswith(("weight", "running_var")) else 0.0
            tensor.uniform_(centre - 0.2, centre + 0.2)
    return {name: tensor.numpy() for name, tensor in made.items()}

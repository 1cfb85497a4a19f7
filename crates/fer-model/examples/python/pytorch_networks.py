"""Any model file of fer as a PyTorch network: python pytorch_networks.py MODEL [PICTURE...]

`load(path)` gives an nn.Module and what the file says of itself. The module takes pictures as uint8 of
(pictures, 1, 48, 48), grey values from 0 to 255, and gives logits; its parameters carry the names of the
file's tensors, so that `state_dict()` fits back into the file after training. Probabilities are the
softmax of the logits over `temperature(description)`.

Needs torch, numpy and safetensors, and Pillow to open pictures.
"""

import json
import math
import sys
from collections import OrderedDict

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional


class Block(nn.Conv2d):
    """A convolution with batch normalisation, a ReLU and a pool."""

    def __init__(self, inputs, outputs, window=3, stride=1, groups=1, relu=True, pool=False):
        super().__init__(inputs, outputs, window, stride, window // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu, self.pool = relu, pool

    def forward(self, maps, around=None, squeeze=None):
        maps = self.norm(super().forward(maps))
        maps = maps if squeeze is None else squeeze(maps)
        maps = maps if around is None else maps + around
        maps = functional.relu(maps) if self.relu else maps
        return functional.max_pool2d(maps, 2) if self.pool else maps


class Squeeze(nn.Module):
    """Squeeze-and-excitation."""

    def __init__(self, channels, reduction):
        super().__init__()
        hidden = -(-channels // reduction)
        self.dense1, self.dense2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def forward(self, maps):
        gates = torch.sigmoid(self.dense2(functional.relu(self.dense1(maps.mean((2, 3))))))
        return maps * gates[:, :, None, None]


class Residual(nn.Module):
    """Blocks whose input is added to the output of the last, before its ReLU and pool."""

    def __init__(self, blocks, squeeze=0, shortcut=None):
        super().__init__()
        for name, block in blocks.items():
            self.add_module(name, block)
        self.names = list(blocks)
        self.squeeze = Squeeze(blocks[self.names[-1]].out_channels, squeeze) if squeeze else None
        self.shortcut = shortcut

    def forward(self, maps):
        around = maps if self.shortcut is None else self.shortcut(maps)
        for name in self.names[:-1]:
            maps = self.get_submodule(name)(maps)
        return self.get_submodule(self.names[-1])(maps, around, self.squeeze)


class Mean(nn.Module):
    """The mean of each channel."""

    def forward(self, maps):
        return maps.mean((2, 3))


def cnn(settings, classes):
    return OrderedDict(
        conv1=nn.Conv2d(1, 32, 3), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(32, 64, 3), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        dense1=nn.Linear(6400, 128), relu3=nn.ReLU(), dropout=nn.Dropout(settings["dropout"]),
        dense2=nn.Linear(128, classes))


def head(channels, settings, classes):
    return dict(mean=Mean(), dropout=nn.Dropout(settings["dropout"]), dense=nn.Linear(channels, classes))


def vgg(settings, classes):
    widths = [1] + [times * settings["width"] for times in (1, 2, 2, 4, 4, 8, 8)]
    layers = OrderedDict((f"conv{n}", Block(widths[n - 1], widths[n], pool=n in (1, 3, 5))) for n in range(1, 8))
    return OrderedDict(layers, **head(widths[-1], settings, classes))


def resvgg(settings, classes):
    width, squeeze = settings["width"], settings["squeeze"]
    pair = lambda channels, pool: Residual(
        dict(conv1=Block(channels, channels), conv2=Block(channels, channels, pool=pool)), squeeze)
    return OrderedDict(
        conv1=Block(1, width, pool=True), conv2=Block(width, 2 * width),
        conv3=Block(2 * width, 2 * width, pool=True), conv4=Block(2 * width, 4 * width),
        residual1=pair(4 * width, True), conv5=Block(4 * width, 8 * width), residual2=pair(8 * width, False),
        **head(8 * width, settings, classes))


def resnet(settings, classes):
    inputs = settings["width"]
    layers = OrderedDict(stem=Block(1, inputs))
    for stage in range(4):
        outputs, blocks = settings["width"] << stage, OrderedDict()
        for block in (1, 2):
            stride = 2 if stage and block == 1 else 1
            changed = stride != 1 or inputs != outputs
            shortcut = Block(inputs, outputs, 1, stride, relu=False) if changed else None
            body = dict(conv1=Block(inputs, outputs, 3, stride), conv2=Block(outputs, outputs))
            blocks[f"block{block}"] = Residual(body, settings["squeeze"], shortcut)
            inputs = outputs
        layers[f"stage{stage + 1}"] = nn.Sequential(blocks)
    return OrderedDict(layers, **head(inputs, settings, classes))


def mobile(settings, classes):
    width = settings["width"]
    layers = OrderedDict(stem=Block(1, width, pool=True))
    for stage, count in enumerate([2, 3, 2], 1):
        channels, blocks = stage * width, OrderedDict()
        if stage > 1:
            inputs = channels - width
            blocks["depthwise"] = Block(inputs, inputs, groups=inputs)
            blocks["pointwise"] = Block(inputs, channels, 1, pool=True)
        for block in range(1, count + 1):
            body = OrderedDict()
            for pair in (1, 2):
                body[f"depthwise{pair}"] = Block(channels, channels, groups=channels)
                body[f"pointwise{pair}"] = Block(channels, channels, 1)
            blocks[f"block{block}"] = Residual(body, settings["squeeze"])
        layers[f"stage{stage}"] = nn.Sequential(blocks)
    return OrderedDict(layers, **head(3 * width, settings, classes))


def ten(pictures):
    """The pictures as they are, 8 % larger, smaller by as much, and turned by 5 degrees both ways."""
    views = [pictures]
    for scale, degrees in ((1.08, 0), (1 / 1.08, 0), (1, 5), (1, -5)):
        angle = math.radians(degrees)
        turn = pictures.new_tensor([[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0]]) / scale
        # Places from -1 to 1 are the middles of the outermost pixels, at which what lies outside is reflected.
        places = functional.affine_grid(turn.expand(len(pictures), 2, 3), pictures.shape, align_corners=True)
        views.append(functional.grid_sample(pictures, places, "bilinear", "reflection", align_corners=True))
    return views


class Scaled(nn.Sequential):
    """Layers that see grey values as numbers from 0 to 1, and unless they train answer by the mean over the `views`:
    one, flips (each picture and its mirror image) or ten."""

    views = "one"

    def forward(self, pictures):
        pictures = pictures / 255
        views = [pictures]
        if not self.training and self.views != "one":
            both = [pictures, pictures.flip(-1)]
            views = [view for side in both for view in ten(side)] if self.views == "ten" else both
        return sum(super(Scaled, self).forward(view) for view in views) / len(views)


def load(path):
    """(the network in evaluation mode, the description of the model file)."""
    with safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["fer"])
        weights = {name: file.get_tensor(name).float() for name in file.keys()}
    settings = description["architecture"]
    kinds = dict(cnn=cnn, vgg=vgg, resnet=resnet, resvgg=resvgg, mobile=mobile)
    network = Scaled(kinds[settings["arch"]](settings, len(description["classes"])))
    preprocessing = description["preprocessing"]
    # Earlier versions wrote whether there are flips.
    network.views = preprocessing.get("views", "flips" if preprocessing.get("flips") else "one")
    missing, unexpected = network.load_state_dict(weights, strict=False)
    # PyTorch counts batches, which no prediction needs.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path} lacks {missing} and has {unexpected} besides")
    return network.eval(), description


def temperature(description):
    """What logits are divided by."""
    return description.get("calibration", {"temperature": 1.0})["temperature"]


def main(model, *pictures):
    import numpy
    from PIL import Image

    network, description = load(model)
    for path in pictures:
        face = Image.open(path).convert("L").resize((48, 48), Image.Resampling.BILINEAR)
        with torch.inference_mode():
            logits = network(torch.from_numpy(numpy.asarray(face).copy())[None, None])[0]
        probabilities = (logits / temperature(description)).softmax(0)
        place = int(probabilities.argmax())
        print(f"{path} {description['classes'][place]} {100 * probabilities[place]:.0f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])

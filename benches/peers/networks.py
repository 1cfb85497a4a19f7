"""The networks that every peer runs, as lists of blocks that any of them can build.

A block is a dictionary. `kind` says which:

- convolution: `name`, `outputs`, `window` (1 or 3), `stride`, `padding`, `norm` (BatchNorm in place
  of a bias), `relu`, `pool` (2x2 max-pooling)
- residual: `name`, `outputs`, `stride`: two 3x3 convolutions with BatchNorm; the shortcut is a 1x1
  convolution with BatchNorm where the shape changes
- depthwise: `name`, `stride`: 3x3 with padding 1, each channel by itself, BatchNorm, ReLU
- mean: the mean over each map; flatten: channels, rows, columns in that order
- dense: `name`, `outputs`, `relu`
- dropout: `share` of the values dropped

Pictures are (pictures, 1, 48, 48), the last dense layer gives one logit a class.
"""

import json
import random

SIDE, CLASSES = 48, 8


def convolution(name, outputs, window=3, stride=1, padding=1, norm=True, relu=True, pool=False):
    return dict(kind="convolution", name=name, outputs=outputs, window=window, stride=stride,
                padding=padding, norm=norm, relu=relu, pool=pool)


def residual(name, outputs, stride):
    return dict(kind="residual", name=name, outputs=outputs, stride=stride)


def depthwise(name, stride):
    return dict(kind="depthwise", name=name, stride=stride)


def dense(name, outputs, relu=False):
    return dict(kind="dense", name=name, outputs=outputs, relu=relu)


def cnn():
    """The source document's network: 839,176 parameters."""
    return [
        convolution("conv1", 32, padding=0, norm=False, pool=True),
        convolution("conv2", 64, padding=0, norm=False, pool=True),
        dict(kind="flatten"),
        dense("dense1", 128, relu=True),
        dict(kind="dropout", share=0.5),
        dense("dense2", CLASSES),
    ]


def vgg():
    """A VGG with BatchNorm: 1,165,416 parameters."""
    plan = [(32, True), (64, False), (64, True), (128, False), (128, True), (256, False), (256, False)]
    blocks = [convolution(f"conv{number}", outputs, pool=pool) for number, (outputs, pool) in enumerate(plan, 1)]
    return blocks + [dict(kind="mean"), dense("dense", CLASSES)]


def resnet():
    """ResNet-18's shape at width 16: 700,920 parameters."""
    blocks = [convolution("stem", 16)]
    for stage in range(4):
        for block in range(2):
            stride = 2 if stage > 0 and block == 0 else 1
            blocks.append(residual(f"stage{stage + 1}.block{block + 1}", 16 << stage, stride))
    return blocks + [dict(kind="mean"), dense("dense", CLASSES)]


def random_network(seed):
    """A network that nobody chose: three to seven blocks of random kind, width and stride."""
    draw = random.Random(seed)
    blocks, side, count = [], SIDE, draw.randint(3, 7)
    for number in range(1, count + 1):
        outputs, name = draw.choice([8, 16, 24, 32, 40, 64, 96, 128]), f"block{number}"
        stride = 2 if side >= 12 and draw.random() < 0.3 else 1
        kind = draw.random()
        if kind < 0.45 and number > 1:
            blocks.append(depthwise(name, stride) if kind < 0.15 else residual(name, outputs, stride))
            side = (side - 1) // stride + 1
            continue
        window = draw.choice([3, 3, 3, 1])
        padding = draw.choice([0, 1]) if window == 3 else 0
        norm = draw.random() < 0.6
        pool = stride == 1 and side >= 12 and draw.random() < 0.4
        blocks.append(convolution(name, outputs, window, stride, padding, norm, pool=pool))
        side = (side + 2 * padding - window) // stride + 1
        side //= 2 if pool else 1
    if draw.random() < 0.5:
        return blocks + [dict(kind="mean"), dense("head", CLASSES)]
    return blocks + [dict(kind="flatten"), dense("hidden", draw.choice([32, 64, 128]), relu=True), dense("head", CLASSES)]


def by_name(name):
    if name.startswith("random"):
        return random_network(int(name.removeprefix("random")))
    return {"cnn": cnn, "vgg": vgg, "resnet": resnet}[name]()


def write(path, names):
    """Writes the blocks of these networks as JSON."""
    path.write_text(json.dumps({name: by_name(name) for name in names}))

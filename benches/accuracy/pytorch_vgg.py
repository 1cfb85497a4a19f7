"""fer's `vgg` and `resvgg` in PyTorch, with its names of tensors and its initial weights."""

from torch import nn
from torch.nn import functional


class Convolution(nn.Conv2d):
    """3×3, batch normalisation, ReLU, and 2×2 max-pooling where wanted; `norm` stands under its name."""

    def __init__(self, inputs, outputs, pool=False):
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.norm, self.pool = nn.BatchNorm2d(outputs), pool
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")

    def forward(self, maps, around=None, squeeze=None):
        maps = self.norm(super().forward(maps))
        maps = maps if squeeze is None else maps * squeeze(maps)
        maps = functional.relu(maps if around is None else maps + around, inplace=True)
        return functional.max_pool2d(maps, 2) if self.pool else maps


class Squeeze(nn.Module):
    """Squeeze-and-excitation: what each channel is multiplied by."""

    def __init__(self, channels, reduction):
        super().__init__()
        between = -(-channels // reduction)
        self.dense1, self.dense2 = nn.Linear(channels, between), nn.Linear(between, channels)
        for dense in (self.dense1, self.dense2):
            nn.init.xavier_uniform_(dense.weight)
            nn.init.zeros_(dense.bias)

    def forward(self, maps):
        gates = self.dense2(functional.relu(self.dense1(maps.mean((2, 3)))))
        return gates.sigmoid()[:, :, None, None]


class Residual(nn.Module):
    """Two convolutions; the input is added before the ReLU of the second."""

    def __init__(self, channels, squeeze, pool=False):
        super().__init__()
        self.conv1, self.conv2 = Convolution(channels, channels), Convolution(channels, channels, pool)
        self.squeeze = Squeeze(channels, squeeze) if squeeze else None

    def forward(self, maps):
        return self.conv2(self.conv1(maps), maps, self.squeeze)


class Vgg(nn.Module):
    """fer's `vgg` or `resvgg`; every tensor has its name there."""

    def __init__(self, model, classes):
        super().__init__()
        width = model["width"]
        if model["arch"] == "vgg":
            plan = [(1, True), (2, False), (2, True), (4, False), (4, True), (8, False), (8, False)]
            residuals = {}
        elif model["arch"] == "resvgg":
            plan = [(1, True), (2, False), (2, True), (4, False), (8, False)]
            squeeze = model["squeeze"]
            residuals = {4: Residual(4 * width, squeeze, pool=True), 5: Residual(8 * width, squeeze)}
        else:
            raise ValueError(f"model.arch = {model['arch']} is not done here, vgg and resvgg are")
        self.order, inputs = [], 1
        for place, (widths, pool) in enumerate(plan, start=1):
            self.append(f"conv{place}", Convolution(inputs, widths * width, pool))
            inputs = widths * width
            if place in residuals:
                self.append(f"residual{place - 3}", residuals[place])
        self.dropout, self.dense = nn.Dropout(model["dropout"]), nn.Linear(inputs, classes)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def append(self, name, block):
        self.add_module(name, block)
        self.order.append(name)

    def forward(self, maps):
        for name in self.order:
            maps = getattr(self, name)(maps)
        return self.dense(self.dropout(maps.mean((2, 3))))

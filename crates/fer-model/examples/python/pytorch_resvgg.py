from safetensors.torch import load_file
from torch.nn.functional import batch_norm, conv2d, linear, max_pool2d, relu

weights = {name: tensor.float() for name, tensor in load_file("assets/fer.safetensors").items()}

def block(maps, name, around=0):
    norm = [weights[f"{name}.norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return relu(batch_norm(conv2d(maps, weights[f"{name}.weight"], padding=1), *norm) + around)

def logits(pictures):  # uint8 of (pictures, 1, 48, 48): grey values from 0 to 255
    maps = max_pool2d(block(pictures / 255, "conv1"), 2)
    maps = block(max_pool2d(block(block(maps, "conv2"), "conv3"), 2), "conv4")
    maps = block(max_pool2d(block(block(maps, "residual1.conv1"), "residual1.conv2", maps), 2), "conv5")
    maps = block(block(maps, "residual2.conv1"), "residual2.conv2", maps)
    return linear(maps.mean((2, 3)), weights["dense.weight"], weights["dense.bias"])

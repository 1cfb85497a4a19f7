"""Runs the networks in PyTorch.

python pytorch_worker.py EXCHANGE THREADS installed|tuned|compiled

installed: nothing but the number of threads. tuned: channels_last and fused Adam (the driver tunes
the allocator by environment variables). compiled: that and torch.compile, with frozen weights for
inference.
"""

import sys

import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

import pytorch_networks
from exchange import Exchange
from protocol import Last, serve, timed

EXCHANGE, MODE = Exchange(sys.argv[1]), sys.argv[3]
TUNED, COMPILED = MODE != "installed", MODE == "compiled"
torch.set_num_threads(int(sys.argv[2]))


def network(name):
    model, named = pytorch_networks.build(EXCHANGE.blocks(name))
    pytorch_networks.restore(named, EXCHANGE.weights(name))
    return model.to(memory_format=torch.channels_last) if TUNED else model


def batches(size):
    return [(pictures(x), torch.from_numpy(y)) for x, y in EXCHANGE.batches(size)]


def pictures(values):
    values = torch.from_numpy(values)
    return values.to(memory_format=torch.channels_last) if TUNED else values


def compiled(model, freezing):
    """Compiled where this worker compiles; `freezing` makes constants of the weights."""
    if not COMPILED:
        return model
    torch._dynamo.reset()
    torch._inductor.config.freezing = freezing
    return torch.compile(model, dynamic=False)


def trainer(name, dropout=True):
    """A function that makes one training step on a batch and gives its loss."""
    model = network(name).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout) and not dropout:
            layer.p = 0.0
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True if TUNED else None)
    forward = compiled(model, freezing=False)

    def step(x, y):
        adam.zero_grad()
        loss = functional.cross_entropy(forward(x), y)
        loss.backward()
        adam.step()
        return loss

    return step


def predictor(name):
    return compiled(network(name).eval(), freezing=True)


TRAIN = Last(lambda name, size: (trainer(name), batches(size)))
INFER = Last(lambda name, size: (predictor(name), batches(size)))


def train(question):
    step, data = TRAIN.get(question["network"], question["batch"])
    return timed(lambda number: step(*data[number % len(data)]), question["iterations"])


def infer(question):
    model, data = INFER.get(question["network"], question["batch"])
    with torch.inference_mode():
        return timed(lambda number: model(data[number % len(data)][0]), question["iterations"])


def check(question):
    """Logits in evaluation mode and the losses of the first steps, dropout off."""
    name, size = question["network"], question["batch"]
    x, y = batches(size)[0]
    with torch.inference_mode():
        logits = predictor(name)(x)
    step = trainer(name, dropout=False)
    return {"logits": logits.tolist(), "losses": [step(x, y).item() for _ in range(question["steps"])]}


def export(question):
    """Writes the network as ONNX, for any number of pictures."""
    path = EXCHANGE.folder / f"{question['network']}.onnx"
    model = network(question["network"]).eval()
    torch.onnx.export(
        model, (torch.zeros(2, 1, 48, 48),), str(path), input_names=["pictures"],
        output_names=["logits"], dynamic_axes={"pictures": {0: "count"}, "logits": {0: "count"}},
        opset_version=17, dynamo=False,
    )
    return {"file": str(path)}


def weights(question):
    """Draws a network's weights for everyone."""
    name = question["network"]
    path = EXCHANGE.folder / f"{name}.safetensors"
    save_file(pytorch_networks.drawn(EXCHANGE.blocks(name), seed=0), path)
    return {"file": str(path)}


def save_model(question):
    """Saves a network as PyTorch does, for pytorch_prediction.py."""
    name = question["network"]
    path = EXCHANGE.folder / f"{name}-model.pt"
    torch.save(network(name).state_dict(), path)
    return {"file": str(path)}


serve({"train": train, "infer": infer, "check": check, "export": export, "weights": weights, "model": save_model})

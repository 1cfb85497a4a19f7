"""Logits of the built-in model by PyTorch and onnxruntime: python stored.py FOLDER EXAMPLES PICTURES"""

import hashlib
import json
import sys
from pathlib import Path

import onnxruntime
import torch

from agreement import Exchange
from pytorch_agreement import SHORT, short


def main(folder, examples, count):
    exchange = Exchange(folder)
    pictures = exchange.pictures[: int(count)]
    example, network, place = SHORT[0]
    model = exchange.folder / f"{network}.safetensors"
    torch_logits = short(Path(examples).resolve() / example, model, place, torch.from_numpy(pictures))
    run = onnxruntime.InferenceSession(exchange.folder / f"{network}.onnx", providers=["CPUExecutionProvider"])
    onnx_logits = run.run(["logits"], {"pictures": pictures})[0]
    rows = lambda logits: [[round(float(value), 6) for value in row] for row in logits]
    print(json.dumps({"pictures": hashlib.sha256(pictures.tobytes()).hexdigest(),
                      "pytorch": rows(torch_logits), "onnxruntime": rows(onnx_logits)}))


if __name__ == "__main__":
    main(*sys.argv[1:])

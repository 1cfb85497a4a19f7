"""The PyTorch examples beside fer: python pytorch_agreement.py FOLDER EXAMPLES

The two short examples run as they stand, with the folders that they name beside them; the long one loads
every model file. Prints JSON and exits with 1 where an answer is not fer's.
"""

import json
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import safetensors
import torch

from agreement import Comparison, Exchange

# Example, network, and where the example looks for the model.
SHORT = [("pytorch_resvgg.py", "built-in", "assets/fer.safetensors"),
         ("pytorch_cnn.py", "cnn", "runs/drawn-cnn/model.safetensors")]


def asked(logits, pictures):
    """Logits of all pictures, few at a time."""
    with torch.inference_mode():
        return torch.cat([logits(few) for few in pictures.split(50)])


def short(example, model, place, pictures):
    """The logits of an example that looks for its model in the folder where it runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / place
        path.parent.mkdir(parents=True)
        shutil.copy(model, path)
        before = os.getcwd()
        os.chdir(folder)
        try:
            logits = runpy.run_path(str(example))["logits"]
        finally:
            os.chdir(before)
    return asked(logits, pictures).numpy()


def main(folder, examples):
    exchange, examples, rows = Exchange(folder), Path(examples).resolve(), []
    pictures = torch.from_numpy(exchange.pictures)
    for example, network, place in SHORT:
        model = exchange.folder / f"{network}.safetensors"
        logits = short(examples / example, model, place, pictures)
        rows.append(Comparison(logits, exchange.answers(network)[0]).row(f"PyTorch, {example}", network))
    networks = runpy.run_path(str(examples / "pytorch_networks.py"))
    for path in sorted(exchange.folder.glob("*.safetensors")):
        if path.stem.endswith(".answers") or path.stem == "pictures":
            continue
        network, description = networks["load"](path)
        logits = asked(network, pictures)
        expected, probabilities = exchange.answers(path.stem)
        row = Comparison(logits.numpy(), expected).row("PyTorch, pytorch_networks.py", path.stem)
        softened = (logits / networks["temperature"](description)).softmax(1).numpy()
        row["probabilities"] = float(abs(softened - probabilities).max())
        rows.append(row)
    versions = {"torch": torch.__version__, "safetensors": safetensors.__version__}
    faults = [f"{row['network']}: {row['difference']:.1e} away" for row in rows if not row["agrees"]]
    print(json.dumps({"versions": versions, "rows": rows, "faults": faults}))
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

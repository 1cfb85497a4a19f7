"""Keras models brought into fer: python keras_agreement.py FOLDER EXAMPLES INTEROP [--description FILE]

Networks as courses build them are trained by Keras for a few steps on fer's drawn faces, saved, brought
in by import_keras.py, and asked by fer (INTEROP is the program that answers) for all pictures. Networks of
another kind must be refused with the name of the layer that does not fit. With --description, what the
script says of a network with formula weights is written, for the tests that have no Keras. Prints JSON and
exits with 1 where anything is not so.
"""

import argparse
import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file

from agreement import Comparison, Exchange

EIGHT = "angry,contempt,disgust,fear,happy,neutral,sad,surprised"
THREE = "awake,asleep,no idea"
layers = keras.layers


def network(classes=8, before=(), head="softmax", dropout=0.5, first=None, pool=None, hidden=None, last=None,
            channels=1, side=48, middle=()):
    """The source document's network, or one that differs where it is told to."""
    return keras.Sequential([
        keras.Input((side, side, channels)),
        *before,
        first or layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        *middle,
        layers.Conv2D(64, (3, 3), activation="relu"),
        pool or layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        hidden or layers.Dense(128, activation="relu"),
        *([layers.Dropout(dropout)] if dropout else []),
        last or layers.Dense(classes, activation=head),
    ])


def spelled_out(classes=8):
    """The same with activations as layers of their own, functional."""
    pictures = keras.Input((48, 48, 1))
    maps = layers.Dropout(0.1)(layers.RandomFlip("horizontal")(pictures))
    for filters in (32, 64):
        maps = layers.MaxPooling2D()(layers.ReLU()(layers.Conv2D(filters, 3)(maps)))
    row = layers.Activation("relu")(layers.Dense(128)(layers.Flatten()(maps)))
    return keras.Model(pictures, layers.Softmax()(layers.Dense(classes)(layers.Dropout(0.25)(row))))


def branched():
    """Layers of the source's CNN in their order, with a way around the last pool's neighbours."""
    model = network(head=None)
    row = model.layers[-1].output
    return keras.Model(model.inputs, keras.ops.add(row, keras.ops.sum(model.layers[-3].output, 1, keepdims=True)))


# name -> (network, what a white pixel is for it, classes, further words for import_keras.py)
TAKEN = {
    "the source's CNN": lambda: (network(), 1, EIGHT, []),
    "logits, no dropout, three classes": lambda: (network(3, head=None, dropout=0), 1, THREE, []),
    "Rescaling to 0..1": lambda: (network(before=[layers.Rescaling(1 / 255)]), 255, EIGHT, []),
    "Rescaling to -1..1": lambda: (network(before=[layers.Rescaling(1 / 127.5, offset=-1)]), 255, EIGHT, []),
    "pictures not divided": lambda: (network(), 255, EIGHT, ["--white", "255"]),
    "activations as layers": lambda: (spelled_out(), 1, EIGHT, []),
}

# name -> (network, classes, words that the refusal must have)
REFUSED = {
    "a window of 5": lambda: (network(first=layers.Conv2D(32, 5, activation="relu", name="big")), EIGHT, ["`big`", "(5, 5)", "(3, 3)"]),
    "more filters": lambda: (network(first=layers.Conv2D(48, 3, activation="relu", name="wide")), EIGHT, ["`wide`", "48", "32"]),
    "padding": lambda: (network(first=layers.Conv2D(32, 3, padding="same", activation="relu", name="padded")), EIGHT, ["`padded`", "same", "valid"]),
    "another activation": lambda: (network(first=layers.Conv2D(32, 3, activation="elu", name="soft")), EIGHT, ["`soft`", "elu", "relu"]),
    "no activation": lambda: (network(first=layers.Conv2D(32, 3, name="bare")), EIGHT, ["`bare`", "no activation"]),
    "a leaky ReLU": lambda: (network(first=layers.Conv2D(32, 3), middle=[layers.ReLU(negative_slope=0.1, name="leaky")]), EIGHT, ["`leaky`", "negative_slope"]),
    "normalisation": lambda: (network(middle=[layers.BatchNormalization(name="normal")]), EIGHT, ["`normal`", "BatchNormalization"]),
    "a pool of averages": lambda: (network(pool=layers.AveragePooling2D(2, name="even")), EIGHT, ["`even`", "MaxPooling2D"]),
    "another width": lambda: (network(hidden=layers.Dense(64, activation="relu", name="narrow")), EIGHT, ["`narrow`", "64", "128"]),
    "a sigmoid": lambda: (network(last=layers.Dense(8, activation="sigmoid", name="apart")), EIGHT, ["`apart`", "sigmoid"]),
    "one layer more": lambda: (keras.Sequential([keras.Input((48, 48, 1)), *network(head=None).layers, layers.Dense(8, name="more")]), EIGHT, ["`more`", "after the last"]),
    "one layer less": lambda: (keras.Sequential([keras.Input((48, 48, 1)), *network().layers[:-2]]), EIGHT, ["Dense with one unit a class"]),
    "a branch": lambda: (branched(), EIGHT, ["does the network branch"]),
    "colours": lambda: (network(channels=3), EIGHT, ["(48, 48, 3)", "(48, 48, 1)"]),
    "another side": lambda: (network(side=64), EIGHT, ["(64, 64, 1)"]),
    "other classes": lambda: (network(), THREE, ["8 units", "3 names"]),
}


def train(model, exchange, white, classes):
    """Three epochs on half of the pictures, so that logits are no longer those of the start."""
    keras.utils.set_random_seed(7)
    labels = np.arange(500) % 8 % classes
    given = (exchange.pictures[:500].transpose(0, 2, 3, 1) / 255 * white).astype("float32")
    soft = model.layers[-1].get_config().get("activation") != "linear" or isinstance(model.layers[-1], layers.Softmax)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not soft)
    rate = 1e-3 if white == 1 else 1e-4
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(given, labels, batch_size=50, epochs=3, verbose=0)


def logits_of(model, exchange, white):
    """Keras's logits of every picture; the last softmax is taken out of the model."""
    last = model.layers[-1]
    if isinstance(last, layers.Softmax):
        model = keras.Model(model.inputs, model.layers[-2].output)
    else:
        last.activation = keras.activations.linear
    given = (exchange.pictures.transpose(0, 2, 3, 1) / 255 * white).astype("float32")
    batches = (model(given[start : start + 250], training=False) for start in range(0, len(given), 250))
    return np.concatenate([keras.ops.convert_to_numpy(batch) for batch in batches])


def brought_in(arguments, model, name, words):
    """(exit code, what import_keras.py said, the model file)."""
    saved, out = (Path(arguments.folder) / f"{name}.{end}" for end in ("keras", "imported"))
    out.unlink(missing_ok=True)
    model.save(saved)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = arguments.script["main"]([str(saved), "--out", str(out), *words])
    return code, said.getvalue(), out


def taken(arguments, exchange, name, made):
    model, white, classes, words = made
    train(model, exchange, white, len(classes.split(",")))
    code, said, out = brought_in(arguments, model, "taken", ["--classes", classes, *words])
    if code:
        raise AssertionError(said)
    answers = Path(arguments.folder) / "taken.out"
    subprocess.run([arguments.interop, "answer", out, arguments.folder, answers], check=True)
    ours = load_file(answers)["logits"]
    return Comparison(ours, logits_of(model, exchange, white)).row("Keras, import_keras.py", name)


def refused(arguments, name, made):
    model, classes, words = made
    code, said, out = brought_in(arguments, model, "refused", ["--classes", classes])
    if code != 1 or out.exists():
        raise AssertionError(f"it was not refused: {said}")
    missing = [word for word in words if word not in said]
    if missing or "Traceback" in said:
        raise AssertionError(f"the refusal lacks {missing}: {said}")


def formula_network():
    """The source's CNN with the weights that tests/keras.rs makes, and the tensors in PyTorch's layout."""
    shapes = [(32, 1, 3, 3), (32,), (64, 32, 3, 3), (64,), (128, 6400), (128,), (8, 128), (8,)]
    fans = [(9, 288), None, (288, 576), None, (6400, 128), None, (128, 8), None]
    tensors = []
    for number, (shape, fan) in enumerate(zip(shapes, fans)):
        limit = np.float32(np.sqrt(6 / sum(fan))) if fan else np.float32(0.05)
        top = (hashed(number, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32)
        tensors.append(((top / np.float32(2**23) - np.float32(1)) * limit).reshape(shape))
    model = network()
    flatten = tensors[4].reshape(128, 64, 10, 10).transpose(2, 3, 1, 0).reshape(6400, 128)
    kernels = [tensors[0].transpose(2, 3, 1, 0), tensors[1], tensors[2].transpose(2, 3, 1, 0), tensors[3],
               flatten, tensors[5], tensors[6].T, tensors[7]]
    model.set_weights(kernels)
    return model, tensors


def hashed(stream, count):
    """splitmix64's output function on stream * 2^32 + index."""
    z = (np.uint64(stream) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def describe_formula(arguments):
    """What import_keras.py writes of the network with formula weights, whose tensors come through to the bit."""
    model, tensors = formula_network()
    code, said, out = brought_in(arguments, model, "formula", ["--classes", EIGHT, "--data", "a formula"])
    if code:
        raise AssertionError(said)
    found = load_file(out)
    names = [f"{layer}.{part}" for layer in ("conv1", "conv2", "dense1", "dense2") for part in ("weight", "bias")]
    for name, tensor in zip(names, tensors):
        if not np.array_equal(found[name], tensor):
            raise AssertionError(f"{name} did not come through to the bit")
    with safe_open(out, "numpy") as file:
        return json.loads(file.metadata()["fer"])


def main():
    parser = argparse.ArgumentParser()
    for name in ("folder", "examples", "interop"):
        parser.add_argument(name)
    parser.add_argument("--description", type=Path)
    arguments = parser.parse_args()
    arguments.script = runpy.run_path(str(Path(arguments.examples) / "import_keras.py"))
    exchange, rows, faults = Exchange(arguments.folder), [], []
    for name, make in TAKEN.items():
        try:
            rows.append(taken(arguments, exchange, name, make()))
        except Exception as fault:
            faults.append(f"{name}: {fault}")
    faults += [f"{row['network']}: {row['difference']:.1e} away" for row in rows if not row["agrees"]]
    for name, make in REFUSED.items():
        try:
            refused(arguments, name, make())
        except Exception as fault:
            faults.append(f"{name}: {fault}")
    try:
        described = describe_formula(arguments)
        if arguments.description:
            arguments.description.write_text(json.dumps(described))
    except Exception as fault:
        faults.append(f"formula: {fault}")
    versions = {"keras": f"{keras.__version__} on {keras.backend.backend()}", "numpy": np.__version__}
    print(json.dumps({"versions": versions, "rows": rows, "refused": len(REFUSED), "faults": faults}))
    return 1 if faults or len(rows) < len(TAKEN) else 0


if __name__ == "__main__":
    sys.exit(main())

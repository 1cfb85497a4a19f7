"""The source document's CNN as Keras computes it: keras_cnn.safetensors and keras_summary.txt.

Made with Python 3.11.7, keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6, safetensors 0.8.0.
Run beside this file: python keras_cnn.py

Weights, pictures and targets come from integer formulas, repeated exactly by tests/keras.rs; the
file keeps only their SHA-256. Everything stored is in PyTorch's layout: convolutions (out, in,
height, width), dense layers (out, in), flattened in the order channel, row, column. Of a tensor
with more than 4096 elements every STRIDES[name]-th element is kept.

The stored numbers are float32 Keras's. The script computes in float64 too and prints how far the
two are apart: logits 1e-7, gradients at most 3e-6 of a tensor's largest, weights after five steps
at most 2e-6, a fortieth and less of what the test allows.
"""

import hashlib
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

HERE = Path(__file__).parent
CLASSES, PICTURES, SIDE, STEPS, HARD_ROWS = 8, 8, 48, 5, 3
BIAS_LIMIT = np.float32(0.05)

# name -> (shape, fan in, fan out); the position in this list is the tensor's number in the formula.
TENSORS = {
    "conv1.weight": ((32, 1, 3, 3), 9, 288),
    "conv1.bias": ((32,), None, None),
    "conv2.weight": ((64, 32, 3, 3), 288, 576),
    "conv2.bias": ((64,), None, None),
    "dense1.weight": ((128, 6400), 6400, 128),
    "dense1.bias": ((128,), None, None),
    "dense2.weight": ((8, 128), 128, 8),
    "dense2.bias": ((8,), None, None),
}
PICTURE_STREAM, TARGET_STREAM = 100, 101
# Coprime to every dimension, so that the kept elements visit every row and column.
STRIDES = {"conv2.weight": 7, "dense1.weight": 271}


def hashed(stream, count):
    """The first 64-bit numbers of a stream: splitmix64's output function on stream * 2^32 + index."""
    z = (np.uint64(stream) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def weights():
    """Every tensor by name: uniform in [-limit, limit), the limit Glorot's, for biases 0.05."""
    made = {}
    for number, (name, (shape, fan_in, fan_out)) in enumerate(TENSORS.items()):
        limit = BIAS_LIMIT if fan_in is None else np.float32(np.sqrt(6.0 / (fan_in + fan_out)))
        top = (hashed(number, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32)
        made[name] = ((top / np.float32(2**23) - np.float32(1)) * limit).reshape(shape)
    return made


def pictures():
    """(PICTURES, SIDE, SIDE) u8: two triangle waves and noise in the proportion 3 : 3 : 2."""
    p, y, x = np.indices((PICTURES, SIDE, SIDE))
    noise = (hashed(PICTURE_STREAM, p.size) >> np.uint64(56)).astype(np.int64).reshape(p.shape)
    waves = triangle(x * (3 + p) + 2 * y) + triangle(y * (9 - p) + 40 * p)
    return ((3 * waves + 2 * noise) // 8).astype(np.uint8)


def triangle(t):
    """A triangle wave with period 256 between 0 and 255."""
    return np.minimum(2 * np.abs(t % 256 - 128), 255)


def targets():
    """(PICTURES, CLASSES) f32: HARD_ROWS one-hot rows, then rows in proportion to hashed bytes."""
    soft = (hashed(TARGET_STREAM, PICTURES * CLASSES) >> np.uint64(56)).reshape(PICTURES, CLASSES)
    rows = soft.astype(np.float32) / soft.sum(axis=1, keepdims=True).astype(np.float32)
    for row in range(HARD_ROWS):
        rows[row] = np.eye(CLASSES, dtype=np.float32)[(3 * row + 1) % CLASSES]
    return rows


def to_keras(name, tensor):
    """From PyTorch's layout to Keras's: kernels (height, width, in, out), flatten by row, column, channel."""
    if name.startswith("conv") and tensor.ndim == 4:
        return tensor.transpose(2, 3, 1, 0)
    if name == "dense1.weight":
        return tensor.reshape(128, 64, 10, 10).transpose(2, 3, 1, 0).reshape(6400, 128)
    return tensor.T


def from_keras(name, tensor):
    """The inverse of to_keras."""
    if name.startswith("conv") and tensor.ndim == 4:
        return tensor.transpose(3, 2, 0, 1)
    if name == "dense1.weight":
        return tensor.reshape(10, 10, 64, 128).transpose(3, 2, 0, 1).reshape(128, 6400)
    return tensor.T


def network(dropout, head):
    """The source document's network; `head` is the activation of its last layer."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((SIDE, SIDE, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(dropout),
        layers.Dense(CLASSES, activation=head),
    ])


def computed(floatx):
    """Logits, loss and gradients at the start, the losses of five Adam steps and the weights after."""
    keras.utils.clear_session()
    keras.config.set_floatx(floatx)
    model = network(dropout=0.0, head=None)
    model.set_weights([to_keras(name, tensor).astype(floatx) for name, tensor in weights().items()])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    images = (pictures().astype(np.float32) / np.float32(255))[..., None].astype(floatx)
    wanted = targets().astype(floatx)

    with tf.GradientTape() as tape:
        logits = model(images, training=False)
        first = loss(wanted, logits)
    gradients = tape.gradient(first, model.trainable_variables)

    adam = keras.optimizers.Adam()
    losses = [step(model, adam, loss, images, wanted) for _ in range(STEPS)]
    return {
        "logits": logits.numpy(),
        "losses": np.array(losses),
        "gradient": {n: from_keras(n, g.numpy()) for n, g in zip(TENSORS, gradients)},
        "after": {n: from_keras(n, w) for n, w in zip(TENSORS, model.get_weights())},
    }


def step(model, adam, loss, images, wanted):
    """One step on the whole batch; returns the loss before it.

    Not train_on_batch: it returns float32 whatever floatx is."""
    with tf.GradientTape() as tape:
        value = loss(wanted, model(images, training=True))
    variables = model.trainable_variables
    adam.apply_gradients(zip(tape.gradient(value, variables), variables))
    return float(value)


def kept(name, tensor):
    """The elements of a tensor that are stored: all, or every STRIDES[name]-th, flat."""
    return np.ascontiguousarray(tensor.reshape(-1)[:: STRIDES.get(name, 1)])


def compare(single, double):
    """Prints how far float32 is from float64, in the units of the tests' tolerances."""
    far = lambda a, b: float(np.abs(a - b).max())
    print(f"logits {far(single['logits'], double['logits']):.1e} of 1e-5", end="; ")
    print(f"losses {far(single['losses'], double['losses']):.1e}")
    for name in TENSORS:
        a, b = single["gradient"][name], double["gradient"][name]
        print(f"{name}: gradient {far(a, b) / np.abs(b).max():.1e} of its largest", end=", ")
        print(f"after {STEPS} steps {far(single['after'][name], double['after'][name]):.1e} of 1e-4")


def sha256(array):
    """The SHA-256 of an array's little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def save(result):
    """Writes keras_cnn.safetensors."""
    tensors = {"logits": result["logits"], "losses": result["losses"]}
    for name in TENSORS:
        gradient = result["gradient"][name]
        tensors[f"gradient.{name}"] = kept(name, gradient)
        tensors[f"gradient_largest.{name}"] = np.array([np.abs(gradient).max()])
        tensors[f"after.{name}"] = kept(name, result["after"][name])
    inputs = {**weights(), "pictures": pictures(), "targets": targets()}
    facts = {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "sha256": {name: sha256(array) for name, array in inputs.items()},
        "stride": {name: STRIDES.get(name, 1) for name in TENSORS},
    }
    # One key: safetensors writes several in an order that changes from run to run.
    metadata = {"facts": json.dumps(facts, sort_keys=True)}
    path = HERE / "keras_cnn.safetensors"
    save_file({n: array.astype(np.float32) for n, array in tensors.items()}, path, metadata=metadata)
    path.chmod(0o644)


def save_summary():
    """Writes the layer table that the source document's `model.summary()` prints."""
    keras.utils.clear_session()
    keras.config.set_floatx("float32")
    lines = []
    network(dropout=0.5, head="softmax").summary(print_fn=lambda text: lines.append(text))
    (HERE / "keras_summary.txt").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def main():
    tf.config.experimental.enable_op_determinism()
    single, double = computed("float32"), computed("float64")
    assert double["logits"].dtype == np.float64 and single["logits"].dtype == np.float32
    compare(single, double)
    save(single)
    save_summary()


if __name__ == "__main__":
    main()

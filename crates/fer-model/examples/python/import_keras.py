"""A Keras model of the source document's CNN as a model file of fer:

    python import_keras.py model.keras --classes angry,happy,sad --out model.safetensors

The network is the one that courses build with Keras: pictures of 48×48 in grey, Conv2D 32, MaxPooling2D,
Conv2D 64, MaxPooling2D, Flatten, Dense 128, Dense with one unit a class, all convolutions 3×3 with a
ReLU. It may begin with Rescaling and random augmentation, hold Dropout anywhere, have its activations as
layers, and end with a softmax or without. Any other network is refused with the name of the layer that
does not fit.

--classes are the names in the order of the outputs; Keras sorts folders of classes by their names. --white
is what a white pixel was in the pictures that the network was given: 1 where they were divided by 255, 255
where they were not; unless told otherwise 255 for a network that begins with Rescaling, and else 1.

Before anything is written, what goes into the file is computed without Keras and compared with Keras. The
file holds a picture with Keras's logits, which fer compares with its own whenever it loads the file.

Needs keras 3 with any backend (TensorFlow, PyTorch or JAX), numpy and safetensors.
"""

import argparse
import base64
import importlib.util
import json
import os
import sys

try:
    import numpy as np
    from safetensors.numpy import save_file
except ImportError as error:
    sys.exit(f"error: {error}: pip install keras torch numpy safetensors")

SIDE, PICTURES, TOLERANCE = 48, 8, 1e-4
FORMAT = 1
CONVOLUTION, POOL, FLATTEN, DENSE = "Conv2D", "MaxPooling2D", "Flatten", "Dense"
# The layers with a place in fer's cnn: (kind, filters or units, whether a ReLU follows).
PLAN = [(CONVOLUTION, 32, True), (POOL, None, False), (CONVOLUTION, 64, True), (POOL, None, False),
        (FLATTEN, None, False), (DENSE, 128, True), (DENSE, None, False)]
# Layers that change nothing when a network predicts.
SILENT = {"Dropout", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
          "RandomBrightness", "InputLayer"}


class Unfit(Exception):
    """Why a network cannot be brought in."""


def load_keras():
    """Keras, on a backend that is installed."""
    if "KERAS_BACKEND" not in os.environ:
        for backend in ("tensorflow", "torch", "jax"):
            if importlib.util.find_spec(backend):
                os.environ["KERAS_BACKEND"] = backend
                break
    if importlib.util.find_spec("keras") is None or "KERAS_BACKEND" not in os.environ:
        raise Unfit("Keras 3 is not installed with a backend: pip install keras torch")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    if int(keras.__version__.split(".")[0]) < 3:
        raise Unfit(f"Keras {keras.__version__} is installed, and .keras files are read by Keras 3")
    return keras


def main(words=None):
    arguments = parse(words)
    try:
        classes = class_names(arguments.classes)
        keras = load_keras()
        model = open_model(keras, arguments.model)
        network = Network(model, len(classes), arguments.white)
        pictures = random_pictures()
        logits = keras_logits(keras, model, network, pictures)
        compare(network.logits(pictures), logits)
        described = description(keras, network, classes, arguments, pictures[0], logits[0])
        save_file(network.tensors, arguments.out, {"fer": json.dumps(described)})
    except (Unfit, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"model       {arguments.out}: {len(classes)} classes, {', '.join(classes)}")
    print(f"pictures    a white pixel was {network.white:g} for Keras; fer sees to that itself")
    return 0


def parse(words):
    lines = __doc__.split("\n")
    parser = argparse.ArgumentParser(description=lines[0], epilog="\n".join(lines[4:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="what model.save('model.keras') wrote")
    parser.add_argument("--classes", required=True, metavar="A,B,C", help="names in the order of the outputs")
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the model file")
    parser.add_argument("--white", type=float, metavar="VALUE", help="what a white pixel was: 1 or 255")
    parser.add_argument("--resize", choices=["antialiased", "opencv-linear"], default="antialiased",
                        help="how larger pictures became 48×48 for training [default: antialiased]")
    parser.add_argument("--data", default="data that Keras was given", metavar="WORDS",
                        help="what people call the pictures that it was trained on")
    return parser.parse_args(words)


def class_names(text):
    names = [name.strip() for name in text.split(",")]
    if "" in names:
        raise Unfit("--classes has an empty name")
    if len(set(names)) != len(names):
        raise Unfit("--classes has a name twice")
    return names


def open_model(keras, path):
    if not os.path.isfile(path):
        raise Unfit(f"{path} is no file")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        raise Unfit(f"{path} cannot be read by Keras {keras.__version__}: {error}") from error


class Network:
    """The weights of fer's cnn, with whatever Keras did to pictures before folded into them."""

    def __init__(self, model, classes, white):
        self.scale, self.offset, self.dropout, self.final = 1.0, 0.0, 0.0, None
        found = self.places(model)
        if white is None:
            white = 255.0 if found["rescaled"] else 1.0
        if not white > 0:
            raise Unfit("--white is above 0")
        self.white = white
        layers = found["layers"]
        units = layers[-1].units
        if units != classes:
            raise Unfit(f"{called(layers[-1])} has {units} units and --classes {classes} names; each needs one")
        self.last = layers[-1]
        self.tensors = self.translated([layer for layer in layers if layer.weights])

    def places(self, model):
        """Every layer of PLAN in its place; whatever else stands between them changes nothing or is known."""
        check_input(model)
        layers, rescaled, ends_softly = [], False, False
        for layer in model.layers:
            kind = type(layer).__name__
            if kind in SILENT:
                self.dropout = layer.rate if kind == "Dropout" else self.dropout
            elif kind == "Rescaling" and not layers and not rescaled:
                self.scale, self.offset, rescaled = float(layer.scale), float(layer.offset), True
            elif kind in ("Activation", "ReLU", "Softmax") and layers:
                layers[-1].follow(layer)
            elif len(layers) == len(PLAN):
                raise Unfit(f"{called(layer)} stands after the last layer of fer's cnn")
            else:
                check_layer(layer, *PLAN[len(layers)])
                layers.append(Placed(layer))
        if len(layers) < len(PLAN):
            kind, size, _ = PLAN[len(layers)]
            raise Unfit(f"the network ends where fer's cnn has {described_layer(kind, size)}")
        for placed, (_, _, relu) in zip(layers, PLAN):
            placed.check_activation("relu" if relu else None, placed is layers[-1])
        return {"layers": [placed.layer for placed in layers], "rescaled": rescaled}

    def translated(self, layers):
        """Tensors in PyTorch's layout, for pictures divided by 255."""
        tensors = {}
        for name, layer in zip(("conv1", "conv2", "dense1", "dense2"), layers):
            kernel, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
            if name == "conv1":
                # Keras saw scale · white · u + offset where fer sees u; a convolution without padding adds
                # the offset times the sum of its window.
                bias = bias + self.offset * kernel.sum((0, 1, 2))
                kernel = kernel * (self.scale * self.white)
            if kernel.ndim == 4:
                kernel = kernel.transpose(3, 2, 0, 1)
            elif name == "dense1":
                # Keras flattens rows, columns, channels, fer channels, rows, columns.
                kernel = kernel.reshape(10, 10, 64, 128).transpose(3, 2, 0, 1).reshape(128, 6400)
            else:
                kernel = kernel.T
            tensors[f"{name}.weight"] = np.ascontiguousarray(kernel, np.float32)
            tensors[f"{name}.bias"] = bias.astype(np.float32)
        for name, tensor in tensors.items():
            if not np.isfinite(tensor).all():
                raise Unfit(f"{name} holds a value that is not finite")
        return tensors

    def logits(self, pictures):
        """What these tensors make of grey values (pictures, 48, 48), from 0 to 255."""
        tensors = {name: tensor.astype(np.float64) for name, tensor in self.tensors.items()}
        maps = pictures[:, None] / 255.0
        for name in ("conv1", "conv2"):
            windows = np.lib.stride_tricks.sliding_window_view(maps, (3, 3), (2, 3))
            maps = np.einsum("nchwij,ocij->nohw", windows, tensors[f"{name}.weight"], optimize=True)
            maps = np.maximum(maps + tensors[f"{name}.bias"][:, None, None], 0)
            count, channels, side, _ = maps.shape
            side //= 2
            maps = maps[:, :, : 2 * side, : 2 * side].reshape(count, channels, side, 2, side, 2).max((3, 5))
        hidden = np.maximum(maps.reshape(len(maps), -1) @ tensors["dense1.weight"].T + tensors["dense1.bias"], 0)
        return hidden @ tensors["dense2.weight"].T + tensors["dense2.bias"]


class Placed:
    """A layer in its place, and the activation that follows it as a layer."""

    def __init__(self, layer):
        self.layer, self.follows = layer, None

    def follow(self, layer):
        if self.follows:
            raise Unfit(f"{called(layer)} is a second activation after {called(self.layer)}")
        plain = dict(max_value=None, negative_slope=0.0, threshold=0.0) if type(layer).__name__ == "ReLU" else {}
        for setting, wanted in plain.items():
            if getattr(layer, setting) != wanted:
                raise Unfit(f"{called(layer)} has {setting} = {getattr(layer, setting)}, fer's ReLU has {wanted}")
        self.follows = {"ReLU": "relu", "Softmax": "softmax"}.get(type(layer).__name__) or name_of(layer.activation)

    def check_activation(self, expected, last):
        own = name_of(getattr(self.layer, "activation", None))
        found = [activation for activation in (own, self.follows) if activation]
        allowed = [[], ["softmax"]] if last else [[expected]] if expected else [[]]
        if found not in allowed:
            words = " and then ".join(found) or "no activation"
            wanted = "softmax or none" if last else expected or "none"
            raise Unfit(f"{called(self.layer)} has {words}, fer's cnn has {wanted} there")


def name_of(activation):
    name = getattr(activation, "__name__", activation and type(activation).__name__.lower())
    return None if name == "linear" else name


def called(layer):
    return f"layer `{layer.name}` ({type(layer).__name__})"


def described_layer(kind, size):
    return {CONVOLUTION: f"Conv2D({size}, (3, 3))", POOL: "MaxPooling2D((2, 2))", FLATTEN: "Flatten()",
            DENSE: f"Dense({size})" if size else "Dense with one unit a class"}[kind]


def check_input(model):
    shapes = getattr(model, "input_shape", None)
    if not isinstance(shapes, tuple) or tuple(shapes[1:]) != (SIDE, SIDE, 1):
        shape = tuple(shapes[1:]) if isinstance(shapes, tuple) else shapes
        raise Unfit(f"the network takes pictures of {shape} (rows, columns, channels), fer's cnn takes ({SIDE}, {SIDE}, 1)")


def check_layer(layer, kind, size, _):
    """That a layer is of this kind and does what fer's does."""
    if type(layer).__name__ != kind:
        raise Unfit(f"{called(layer)} stands where fer's cnn has {described_layer(kind, size)}")
    expected = {
        CONVOLUTION: dict(filters=size, kernel_size=(3, 3), strides=(1, 1), padding="valid",
                          dilation_rate=(1, 1), groups=1, use_bias=True, data_format="channels_last"),
        POOL: dict(pool_size=(2, 2), strides=(2, 2), padding="valid", data_format="channels_last"),
        FLATTEN: dict(data_format="channels_last"),
        DENSE: dict(units=size, use_bias=True) if size else dict(use_bias=True),
    }[kind]
    for setting, wanted in expected.items():
        found = getattr(layer, setting)
        found = tuple(found) if isinstance(found, (list, tuple)) else found
        if found != wanted:
            raise Unfit(f"{called(layer)} has {setting} = {found}, fer's cnn has {wanted}")


def random_pictures():
    return np.random.default_rng(0).integers(0, 256, (PICTURES, SIDE, SIDE), np.uint8)


def keras_logits(keras, model, network, pictures):
    """Keras's logits of grey values, its last softmax left out."""
    given = (pictures[..., None] / 255.0 * network.white).astype(np.float32)
    network.last.activation = keras.activations.linear
    ends_in_layer = type(model.layers[-1]).__name__ in ("Softmax", "Activation")
    if ends_in_layer:
        model = keras.Model(model.inputs, network.last.output)
    return keras.ops.convert_to_numpy(model(given, training=False)).astype(np.float64)


def compare(found, expected):
    far = np.abs(found - expected).max()
    if not far <= TOLERANCE * max(1.0, np.abs(expected).max()):
        raise Unfit(f"the layers fit and yet Keras's logits are {far:.1e} from what the weights give; does the network branch?")


def description(keras, network, classes, arguments, picture, logits):
    """What the model file says of itself; `Description` in fer-model's documentation tells the fields."""
    return {
        "format": FORMAT,
        "library": f"Keras {keras.__version__}, brought in by import_keras.py",
        "architecture": {"arch": "cnn", "dropout": network.dropout},
        "classes": classes,
        "preprocessing": {"side": SIDE, "grey": "bt601", "resize": arguments.resize, "divisor": 255},
        "training": {
            "data": arguments.data, "data_hash": "", "division_hash": "", "split_rule": "", "split_seed": 0,
            "dedup": False, "counts": {}, "seed": 0, "epochs": 0, "epoch": 0, "batch_size": 0,
            "learning_rate": 0.0,
        },
        "self_test": {
            "picture": base64.b64encode(picture.tobytes()).decode(),
            "logits": [float(np.float32(logit)) for logit in logits],
        },
    }


if __name__ == "__main__":
    sys.exit(main())

"""Runs the networks in Keras on TensorFlow: python keras_worker.py EXCHANGE THREADS plain|xla"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from exchange import Exchange
from protocol import Last, serve, timed

EXCHANGE, THREADS, XLA = Exchange(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "xla"
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


def build(blocks, weights, dropout):
    """The network with its weights; maps are (pictures, rows, columns, channels)."""
    values = keras.Input((48, 48, 1))
    inputs, given, flat_of = values, [], None
    for block in blocks:
        kind = block["kind"]
        if kind == "convolution":
            values = convolution(block, values, weights, given)
        elif kind == "flatten":
            flat_of = values.shape[1:]
            values = layers.Flatten()(values)
        elif kind == "mean":
            values = layers.GlobalAveragePooling2D()(values)
        elif kind == "dense":
            layer = layers.Dense(block["outputs"], "relu" if block["relu"] else None)
            values = layer(values)
            matrix = weights[block["name"] + ".weight"]
            given.append((layer, [channels_last(matrix, flat_of).T, weights[block["name"] + ".bias"]]))
            flat_of = None
        elif kind == "dropout":
            values = layers.Dropout(block["share"] if dropout else 0.0)(values)
        else:
            raise ValueError(f"no block of kind {kind}")
    model = keras.Model(inputs, values)
    for layer, arrays in given:
        layer.set_weights(arrays)
    return model


def channels_last(matrix, maps):
    """Columns from the order channel, row, column to row, column, channel."""
    if maps is None:
        return matrix
    rows, columns, channels = maps
    return matrix.reshape(-1, channels, rows, columns).transpose(0, 2, 3, 1).reshape(len(matrix), -1)


def convolution(block, values, weights, given):
    name = block["name"]
    if block["padding"]:
        # TensorFlow's own "same" pads unevenly where the stride is 2.
        if block["stride"] == 1:
            padding = "same"
        else:
            values, padding = layers.ZeroPadding2D(block["padding"])(values), "valid"
    else:
        padding = "valid"
    fused = "relu" if block["relu"] and not block["norm"] else None
    conv = layers.Conv2D(block["outputs"], block["window"], block["stride"], padding,
                         activation=fused, use_bias=not block["norm"])
    values = conv(values)
    kernel = weights[name + ".weight"].transpose(2, 3, 1, 0)
    if block["norm"]:
        given.append((conv, [kernel]))
        norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        values = norm(values)
        parts = ["weight", "bias", "running_mean", "running_var"]
        given.append((norm, [weights[f"{name}.norm.{part}"] for part in parts]))
        values = layers.ReLU()(values) if block["relu"] else values
    else:
        given.append((conv, [kernel, weights[name + ".bias"]]))
    return layers.MaxPooling2D(2)(values) if block["pool"] else values


def network(name, dropout=True):
    model = build(EXCHANGE.blocks(name), EXCHANGE.weights(name), dropout)
    # PyTorch's epsilon, which the other peers use too.
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=XLA,
    )
    return model


def batches(size):
    """Tensors with one channel, last."""
    made = EXCHANGE.batches(size)
    return [(tf.constant(np.moveaxis(x, 1, 3)), tf.constant(y)) for x, y in made]


TRAIN = Last(lambda name, size: (network(name), batches(size)))


def predictor(name, size):
    model = network(name)
    call = tf.function(lambda x: model(x, training=False), jit_compile=XLA)
    return call, batches(size)


INFER = Last(predictor)


def train(question):
    model, data = TRAIN.get(question["network"], question["batch"])
    step = lambda number: model.train_on_batch(*data[number % len(data)])
    return timed(step, question["iterations"])


def infer(question):
    call, data = INFER.get(question["network"], question["batch"])
    return timed(lambda number: call(data[number % len(data)][0]).numpy(), question["iterations"])


def check(question):
    name = question["network"]
    x, y = batches(question["batch"])[0]
    logits = network(name)(x, training=False).numpy().tolist()
    model = network(name, dropout=False)
    losses = []
    for _ in range(question["steps"]):
        # train_on_batch reports the mean over the steps so far unless its metrics start anew.
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    return {"logits": logits, "losses": losses}


serve({"train": train, "infer": infer, "check": check})

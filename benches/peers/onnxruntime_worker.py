"""Runs the networks in onnxruntime: python onnxruntime_worker.py EXCHANGE THREADS"""

import sys

import onnxruntime

from exchange import Exchange
from protocol import Last, serve, timed

EXCHANGE, THREADS = Exchange(sys.argv[1]), int(sys.argv[2])


def session(name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    path = str(EXCHANGE.folder / f"{name}.onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


INFER = Last(lambda name, size: (session(name), EXCHANGE.batches(size)))


def infer(question):
    model, data = INFER.get(question["network"], question["batch"])
    run = lambda number: model.run(["logits"], {"pictures": data[number % len(data)][0]})
    return timed(run, question["iterations"])


def check(question):
    pictures, _ = EXCHANGE.batches(question["batch"])[0]
    logits = session(question["network"]).run(["logits"], {"pictures": pictures})[0]
    return {"logits": logits.tolist()}


serve({"infer": infer, "check": check})

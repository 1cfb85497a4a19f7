"""The peer: the same model behind FastAPI and onnxruntime, written as their documentation has it.

Started by uvicorn; the variable ONNX names the model, THREADS the threads of one onnxruntime, and WAY how a
request is worked on: `inline` in the event loop, or `pool` in a thread of Starlette's."""

import io
import json
import os

import numpy as np
import onnxruntime
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from PIL import Image
from starlette.concurrency import run_in_threadpool

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["THREADS"])
session = onnxruntime.InferenceSession(os.environ["ONNX"], options, providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
app = FastAPI()


def answer(body):
    picture = Image.open(io.BytesIO(body)).convert("L")
    if picture.size != (48, 48):
        picture = picture.resize((48, 48), Image.Resampling.BILINEAR)
    pictures = np.asarray(picture, dtype=np.uint8)[None, None]
    [probabilities] = session.run(["probabilities"], {"pictures": pictures})[0].tolist()
    best = max(range(len(classes)), key=probabilities.__getitem__)
    return [{"path": None, "face": None, "expression": classes[best],
             "probabilities": dict(zip(classes, probabilities))}]


@app.post("/predict")
async def predict(request: Request):
    body = await request.body()
    if os.environ["WAY"] == "pool":
        return JSONResponse(await run_in_threadpool(answer, body))
    return JSONResponse(answer(body))

import json
import numpy
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("fer.onnx")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
face = Image.open("assets/face.png").convert("L").resize((48, 48), Image.Resampling.BILINEAR)
pictures = numpy.asarray(face)[None, None]  # uint8 of (pictures, 1, 48, 48): grey values from 0 to 255
probabilities = session.run(["probabilities"], {"pictures": pictures})[0][0]
for name, probability in zip(classes, probabilities):
    print(f"{name:10} {probability:.3f}")

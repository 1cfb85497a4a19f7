"""One picture's class from a saved network: python pytorch_prediction.py MODEL.pt FACE.png"""

import sys

import cv2
import torch
from torch import nn

model = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(6400, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 8),
)
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
model.eval()
face = cv2.resize(cv2.imread(sys.argv[2], cv2.IMREAD_GRAYSCALE), (48, 48))
with torch.inference_mode():
    shares = model(torch.from_numpy(face)[None, None] / 255).softmax(1)[0]
print(int(shares.argmax()), float(shares.max()))

from collections import OrderedDict

from safetensors.torch import load_file
from torch import nn

network = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(1, 32, 3), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
    conv2=nn.Conv2d(32, 64, 3), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
    dense1=nn.Linear(6400, 128), relu3=nn.ReLU(), dropout=nn.Dropout(0.5), dense2=nn.Linear(128, 8),
)).eval()
network.load_state_dict(load_file("runs/drawn-cnn/model.safetensors"))

def logits(pictures):  # uint8 of (pictures, 1, 48, 48): grey values from 0 to 255
    return network(pictures / 255)

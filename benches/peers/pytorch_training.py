"""PyTorch's usual training run on FER2013: python pytorch_training.py fer2013.csv THREADS

One epoch of the CNN at batch 32, then the accuracy on PublicTest and, where the file has it, PrivateTest."""

import sys

import numpy as np
import pandas
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def dataset(table):
    rows = [np.array(row.split(), dtype=np.float32) for row in table["pixels"]]
    pictures = np.stack(rows).reshape(-1, 1, 48, 48) / 255
    return TensorDataset(torch.from_numpy(pictures), torch.tensor(table["emotion"].to_numpy()))


def network():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(6400, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 7),
    )


def main():
    torch.set_num_threads(int(sys.argv[2]))
    table = pandas.read_csv(sys.argv[1])
    usages = [usage for usage in ["Training", "PublicTest", "PrivateTest"] if (table["Usage"] == usage).any()]
    train, *held_out = [dataset(table[table["Usage"] == usage]) for usage in usages]
    del table
    model = network()
    adam = torch.optim.Adam(model.parameters())
    for pictures, labels in DataLoader(train, batch_size=32, shuffle=True):
        adam.zero_grad()
        nn.functional.cross_entropy(model(pictures), labels).backward()
        adam.step()
    model.eval()
    with torch.inference_mode():
        for held in held_out:
            batches = DataLoader(held, batch_size=256)
            right = sum((model(x).argmax(1) == y).sum().item() for x, y in batches)
            print(f"accuracy {right / len(held):.3f}")


main()

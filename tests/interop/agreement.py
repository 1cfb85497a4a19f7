"""What agreement is: the same class for every picture, and every logit within TOLERANCE."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

TOLERANCE = 1e-4


class Exchange:
    """What fer left in a folder: pictures, networks and its own answers."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.pictures = load_file(self.folder / "pictures.safetensors")["pictures"]

    def answers(self, name):
        """fer's logits and probabilities."""
        found = load_file(self.folder / f"{name}.answers.safetensors")
        return found["logits"], found["probabilities"]


class Comparison:
    """How far one program's logits are from another's."""

    def __init__(self, found, expected):
        found, expected = np.asarray(found), np.asarray(expected)
        if found.shape != expected.shape:
            raise ValueError(f"logits of {found.shape}, expected {expected.shape}")
        self.pictures = len(expected)
        self.difference = float(np.abs(found - expected).max())
        self.other_classes = int((found.argmax(1) != expected.argmax(1)).sum())

    @property
    def agrees(self):
        return self.difference <= TOLERANCE and self.other_classes == 0

    def row(self, what, network):
        return {"what": what, "network": network, "pictures": self.pictures,
                "difference": self.difference, "other_classes": self.other_classes,
                "agrees": self.agrees}

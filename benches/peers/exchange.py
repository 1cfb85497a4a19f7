"""What the driver leaves in a folder for the workers: faces, networks and their weights."""

import json
from pathlib import Path

from safetensors.numpy import load_file


class Exchange:
    """The folder's contents, read when asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        faces = load_file(self.folder / "faces.safetensors")
        self.pictures, self.labels = faces["pictures"], faces["labels"].astype("int64")

    def blocks(self, network):
        return json.loads((self.folder / "networks.json").read_text())[network]

    def weights(self, network):
        return load_file(self.folder / f"{network}.safetensors")

    def batches(self, size):
        """(pictures, labels) of every whole batch of this size."""
        starts = range(0, len(self.pictures) - size + 1, size)
        return [(self.pictures[s : s + size], self.labels[s : s + size]) for s in starts]

"""Pictures of noise with a manifest: few, and what is on them matters to nobody."""

import random

SIDE = 48
CLASSES = ["angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprised"]
JUDGED = 16


def make(folder, training):
    """So many to train on and a few to judge by; gives back the manifest."""
    folder.mkdir()
    rows = ["path,label,split"]
    generator = random.Random(0)
    for split, number in {"train": training, "validation": JUDGED, "test": JUDGED}.items():
        for picture in range(number):
            name = f"{split}{picture}.pgm"
            (folder / name).write_bytes(b"P5 %d %d 255\n" % (SIDE, SIDE) + generator.randbytes(SIDE * SIDE))
            rows.append(f"{name},{CLASSES[picture % len(CLASSES)]},{split}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest

"""Reads FER2013 as a csv or as a folder of pictures, and says how long each round took.

    reading.py csv FILE [ROUNDS]       pandas reads the table, numpy the pixels
    reading.py folder FOLDER [ROUNDS]  OpenCV decodes the pictures on two processes

It prints one line of JSON. `reading.rs` does the same work with fer-data. With numpy 2.4.6,
pandas 3.0 or later and opencv-python 4.13 or later.
"""

import json
import multiprocessing
import os
import sys
import time
import warnings

import numpy as np

PROCESSES = 2


def pixels_fromstring(text):
    return np.fromstring(text, dtype=np.uint8, sep=" ")


def pixels_split(text):
    return np.array(text.split(), dtype=np.uint8)


def read_csv(path, pixels):
    import pandas

    table = pandas.read_csv(path)
    pictures = np.stack([pixels(text) for text in table["pixels"]]).reshape(-1, 48, 48)
    return pictures, table["emotion"].to_numpy(np.uint8)


def decode(path):
    import cv2

    return cv2.imread(path, cv2.IMREAD_GRAYSCALE)


def single_threaded():
    """Two processes share two cores best when each has one thread."""
    import cv2

    cv2.setNumThreads(1)


def read_folder(path):
    classes = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    files = [
        (entry.path, label)
        for label, name in enumerate(classes)
        for entry in sorted(os.scandir(os.path.join(path, name)), key=lambda entry: entry.name)
    ]
    with multiprocessing.Pool(PROCESSES, single_threaded) as pool:
        pictures = np.stack(pool.map(decode, [path for path, _ in files], chunksize=256))
    return pictures, np.array([label for _, label in files], dtype=np.uint8)


WORK = {
    "csv": [
        ("pandas, numpy fromstring", lambda path: read_csv(path, pixels_fromstring)),
        ("pandas, numpy split", lambda path: read_csv(path, pixels_split)),
    ],
    "folder": [("opencv, 2 processes", read_folder)],
}


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in WORK:
        sys.exit("usage: reading.py csv FILE [ROUNDS] | reading.py folder FOLDER [ROUNDS]")
    work, path = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 5
    # numpy calls fromstring deprecated for binary data, which this is not.
    warnings.simplefilter("ignore")
    engines = {}
    for name, read in WORK[work]:
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            pictures, labels = read(path)
            seconds.append(time.perf_counter() - start)
        assert pictures.shape == (len(labels), 48, 48) and pictures.dtype == np.uint8
        engines[name] = seconds
    print(json.dumps({"work": work, "pictures": len(labels), "engines": engines}))


if __name__ == "__main__":
    main()

"""Writes the Parquet files of this folder: by datasets 5.2.0 (a split a file, classes and pictures as
features) and by pyarrow 26.0.1 (plain columns). Pictures are patterns, not faces.

    pip install datasets==5.2.0 pyarrow==26.0.1 pillow==13.0.0
    python write.py
"""

import io
import pathlib

import datasets
import numpy
import pyarrow
import pyarrow.parquet
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = ["happy", "sad", "surprise"]


def picture(number):
    """Grey values that no other number has: a slope of its own direction."""
    rows, columns = numpy.mgrid[0:48, 0:48]
    values = rows * (number % 5) + columns * (number // 5 % 5) + number
    return Image.fromarray((values % 256).astype(numpy.uint8), "L")


def png(number):
    file = io.BytesIO()
    picture(number).save(file, "PNG")
    return file.getvalue()


def by_datasets():
    features = datasets.Features({"image": datasets.Image(), "emotion": datasets.ClassLabel(names=CLASSES)})
    for split, numbers in {"train": range(0, 12), "validation": range(12, 18), "test": range(18, 24)}.items():
        rows = {"image": [picture(number) for number in numbers], "emotion": [number % 3 for number in numbers]}
        folder = HERE / "datasets"
        folder.mkdir(exist_ok=True)
        datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / f"{split}-00000-of-00001.parquet")


def write(name, columns, **options):
    pyarrow.parquet.write_table(pyarrow.table(columns), HERE / name, **options)


def by_pyarrow():
    numbers = list(range(30))
    write(
        "plain.parquet",
        {
            "img_bytes": pyarrow.array([png(number) for number in numbers], pyarrow.binary()),
            "label": [CLASSES[number % 3] for number in numbers],
            "subject": [f"person {number // 3}" for number in numbers],
            "split": ["train" if number < 18 else "valid" if number < 24 else "test" for number in numbers],
            "caption": ["not read"] * 30,
        },
        row_group_size=7,
        compression="zstd",
    )
    write(
        "numbers.parquet",
        {"image": [png(number) for number in range(6)], "labels": [number % 3 for number in range(6)]},
        compression="brotli",
    )
    broken = [png(0), None, b"", b"not a picture", png(4)[:60], png(5), png(6), png(7)]
    write(
        "broken.parquet",
        {
            "image": [{"bytes": value, "path": None} for value in broken],
            "label": ["happy", "happy", "happy", "happy", "happy", None, "sad", "happy"],
        },
        compression="snappy",
    )
    write("without.parquet", {"pixels": ["0 1 2"], "emotion": [3]})


by_datasets()
by_pyarrow()

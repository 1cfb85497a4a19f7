"""FER2013 with its own labels or with FER+ votes, read and divided by fer's rules.

A row that cannot be read is an error here; fer leaves it out and lists it.
"""

import csv
from dataclasses import dataclass

import numpy as np

EIGHT = ["angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprised"]
SEVEN = [name for name in EIGHT if name != "contempt"]
# What the numbers of fer2013.csv and the columns of fer2013new.csv mean.
FER2013_ORDER = ["angry", "disgust", "fear", "happy", "sad", "surprised", "neutral"]
FERPLUS_ORDER = ["neutral", "happy", "surprised", "sad", "angry", "disgust", "fear", "contempt"]
PIXELS = 48 * 48


@dataclass
class Part:
    """Some of the pictures, in the file's order."""

    pictures: np.ndarray  # (n, 48, 48), uint8
    labels: np.ndarray  # (n), int64
    targets: np.ndarray  # (n, classes), float32, rows sum to 1

    def __len__(self):
        return len(self.labels)


@dataclass
class Data:
    """The three parts; without a validation fraction, validation is empty."""

    classes: list
    train: Part
    validation: Part
    test: Part


def majority(votes):
    """Index among the eight expressions, `unknown` and `NF` that more than half of the votes name."""
    votes = np.where(votes == 1, 0, votes)
    place = int(votes.argmax())
    return place if 2 * votes[place] > votes.sum() and place < len(EIGHT) else None


def judge(votes, usage, target):
    """(label, target) of ten votes, or None for a row that has no place in the data."""
    if usage != "Training" or target == "majority":
        label = majority(votes)
        return None if label is None else (label, np.eye(len(EIGHT))[label])
    if target == "probabilities":
        votes = np.where(votes == 1, 0, votes)
        if votes[:8].sum() <= votes[8:].sum():
            return None
    expressions = votes[:8]
    if expressions.sum() == 0:
        return None
    return int(expressions.argmax()), expressions / expressions.sum()


def read_votes(path):
    """A row for each of the file: the ten counts, expressions in class order, or None without an image."""
    order = [2 + FERPLUS_ORDER.index(name) for name in EIGHT] + [10, 11]
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [(row[0], np.array([int(row[place]) for place in order]) if row[1].strip() else None) for row in rows]


def read_rows(settings):
    """{row, from 1: (usage, picture, label, target, class to judge by or None)} of all rows that have a place."""
    found = {}
    votes = read_votes(settings["ferplus"]) if settings["ferplus"] else None
    with open(settings["path"], newline="") as file:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows)]
        emotion, pixels, usage = (header.index(name) for name in ["emotion", "pixels", "Usage"])
        number = 0
        for number, row in enumerate(rows, start=1):
            if row[usage] == "PrivateTest":
                continue
            picture = np.fromstring(row[pixels], dtype=np.uint8, sep=" ")
            if len(picture) != PIXELS:
                raise ValueError(f"{settings['path']} row {number}: {len(picture)} pixels, expected {PIXELS}")
            if votes is None:
                label = SEVEN.index(FER2013_ORDER[int(row[emotion])])
                verdict = label, np.eye(len(SEVEN))[label], label
            else:
                voted, counts = votes[number - 1]
                if voted != row[usage]:
                    raise ValueError(f"row {number} is {row[usage]} in the pictures and {voted} in the votes")
                verdict = None if counts is None else judge(counts, voted, settings["ferplus_target"])
                verdict = verdict and (*verdict, majority(counts))
            if verdict is not None:
                found[number] = (row[usage], picture.tobytes(), *verdict)
    if votes is not None and len(votes) != number:
        raise ValueError(f"{len(votes)} rows of votes for {number} of pictures")
    return found


def drawn_division(rows, fraction, seed):
    """{row: split}: `fraction` of each class of Training validates, drawn by numpy and not as fer draws."""
    division = {row: "test" if entry[0] == "PublicTest" else "train" for row, entry in rows.items()}
    for label in sorted({entry[2] for entry in rows.values()}):
        members = [row for row, entry in rows.items() if division[row] == "train" and entry[2] == label]
        count = int(len(members) * fraction + 0.5)
        if fraction > 0 and len(members) > 1:
            count = min(max(count, 1), len(members) - 1)
        for row in np.random.default_rng([seed, label]).permutation(members)[:count]:
            division[int(row)] = "validation"
    return division


def judged_by_majority(rows, division):
    """Both without the validation rows that have no majority; the others have it as their label."""
    division = {row: split for row, split in division.items() if split != "validation" or rows[row][4] is not None}
    rows = {
        row: (usage, picture, judged, np.eye(len(target))[judged], judged)
        if division.get(row) == "validation"
        else (usage, picture, label, target, judged)
        for row, (usage, picture, label, target, judged) in rows.items()
    }
    return rows, division


def written_division(path):
    """{row: (split, class)} of the pictures.csv in the checkpoints of a run of fer."""
    with open(path, newline="") as file:
        return {int(row["picture"].rsplit(" ", 1)[1]): (row["split"], row["class"]) for row in csv.DictReader(file)}


def read(settings, division_path=None):
    """The data that the table `data` of a configuration describes, divided as pictures.csv says where given."""
    classes = EIGHT if settings["ferplus"] else SEVEN
    rows = read_rows(settings)
    if division_path:
        written = written_division(division_path)
        # Two kinds of rows are not written: copies, and validation rows without a majority.
        division = {row: "train" if rows[row][4] is not None else "validation" for row in rows}
        division.update((row, split) for row, (split, _) in written.items())
    else:
        division = drawn_division(rows, settings["split"]["validation_fraction"], settings["split"]["seed"])
    rows, division = judged_by_majority(rows, division)
    if settings["dedup"]:
        judged = {rows[row][1] for row, split in division.items() if split != "train"}
        division = {row: split for row, split in division.items() if split != "train" or rows[row][1] not in judged}
    if division_path and {row: (split, classes[rows[row][2]]) for row, split in division.items()} != written:
        raise ValueError(f"{division_path} lists other pictures or labels than these files give")

    def part(wanted):
        entries = [rows[row] for row, split in division.items() if split == wanted]
        pictures = np.frombuffer(b"".join(entry[1] for entry in entries), dtype=np.uint8)
        return Part(
            pictures.reshape(-1, 48, 48).copy(),
            np.array([entry[2] for entry in entries], dtype=np.int64),
            np.array([entry[3] for entry in entries], dtype=np.float32).reshape(-1, len(classes)),
        )

    return Data(classes, part("train"), part("validation"), part("test"))

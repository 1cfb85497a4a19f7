"""Classification metrics as scikit-learn computes them: sklearn_metrics.json.

Made with Python 3.11.7, scikit-learn 1.9.1, numpy 2.4.6.
Run beside this file: python sklearn_metrics.py

Each case has the number of classes, true labels, probabilities (rows sum to 1; the predicted label
is the largest) and soft targets (votes of ten). Of the choices that scikit-learn leaves open:

- macro_f1 is f1_score's default, the mean over the classes present in the truth or among the
  predictions; macro_f1_all_classes counts a class absent from both as 0.
- balanced_accuracy is the mean recall over the classes present in the truth (scikit-learn warns
  of predicted classes that the truth lacks, and leaves them out).
- a precision, recall or F1 without a denominator is 0 (zero_division=0).
- log_loss is over the true labels; soft_log_loss is the mean cross-entropy against the soft
  targets, as log_loss over every (picture, class) pair weighted by its target.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics

HERE = Path(__file__).parent
# Roughly FER+'s shares: neutral and happy are common, disgust and contempt rare.
IMBALANCE = [0.08, 0.01, 0.01, 0.03, 0.28, 0.35, 0.12, 0.12]


def cases():
    """(name, classes, true labels, predicted labels) of every case, always the same."""
    draw = np.random.default_rng(20250220)
    eight = draw.integers(0, 8, 60)
    faces = draw.choice(8, 350, p=IMBALANCE)
    return [
        ("asymmetric three classes", 3, [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2], [0, 1, 1, 2, 1, 0, 2, 0, 0, 1, 2]),
        ("a class predicted but absent from the truth", 8, swap(eight, 2, 5), confuse(draw, swap(eight, 2, 5), 2)),
        ("a class absent from truth and predictions", 8, swap(eight, 6, 1), swap(confuse(draw, eight, 0), 6, 1)),
        ("a class never predicted", 8, eight, swap(confuse(draw, eight, 0), 3, 4)),
        ("perfect", 4, [3, 1, 0, 2, 2, 1, 3], [3, 1, 0, 2, 2, 1, 3]),
        ("all wrong", 3, [0, 1, 2, 0], [1, 2, 0, 2]),
        ("one picture, right", 8, [4], [4]),
        ("one picture, wrong", 2, [1], [0]),
        ("one class only", 1, [0, 0, 0], [0, 0, 0]),
        ("350 pictures, imbalanced as FER+", 8, faces, confuse(draw, faces, 5)),
    ]


def swap(labels, old, new):
    """The labels with every `old` replaced by `new`."""
    return [new if label == old else label for label in labels]


def confuse(draw, labels, favourite):
    """Predictions right two times in three, else a random class or, half the time, the favourite."""
    wrong = np.where(draw.random(len(labels)) < 0.5, favourite, draw.integers(0, 8, len(labels)))
    return np.where(draw.random(len(labels)) < 0.67, labels, wrong)


def probabilities(draw, classes, predicted):
    """Rows in thousandths that sum to 1, none 0 where there are two classes, the predicted largest."""
    rows = []
    for label in predicted:
        row = np.round(draw.dirichlet(np.ones(classes)) * (990 - 2 * classes)).astype(int) + 1
        largest = int(row.argmax())
        row[label], row[largest] = row[largest] + 5, row[label]
        row[label] += 1000 - row.sum()
        assert row.min() > 0 and (row == row[label]).sum() == 1 and row.argmax() == label
        rows.append((row / 1000).tolist())
    return rows


def soft_targets(draw, classes, true):
    """Ten votes a picture, at least four of them for the true label."""
    rows = []
    for label in true:
        votes = draw.multinomial(6, np.ones(classes) / classes)
        votes[label] += 4
        rows.append((votes / 10).tolist())
    return rows


def soft_log_loss(classes, targets, rows):
    """The mean over pictures of the cross-entropy between targets and probabilities."""
    labels = np.tile(np.arange(classes), len(rows))
    weights = np.array(targets).ravel()
    return log_loss(classes, labels, np.repeat(rows, classes, axis=0), weights)


def log_loss(classes, labels, rows, weights=None):
    """scikit-learn's log_loss, which refuses a single class; its loss is 0."""
    if classes == 1:
        return 0.0
    return metrics.log_loss(labels, rows, labels=range(classes), sample_weight=weights)


def scored(draw, name, classes, true, predicted):
    """One case with everything scikit-learn says about it."""
    every = {"labels": range(classes), "zero_division": 0}
    rows, targets = probabilities(draw, classes, predicted), soft_targets(draw, classes, true)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(true, predicted, **every)
    return {
        "name": name,
        "classes": classes,
        "true": [int(label) for label in true],
        "predicted": [int(label) for label in predicted],
        "probabilities": rows,
        "soft_targets": targets,
        "confusion_matrix": metrics.confusion_matrix(true, predicted, labels=range(classes)).tolist(),
        "accuracy": metrics.accuracy_score(true, predicted),
        "log_loss": log_loss(classes, true, rows),
        "soft_log_loss": soft_log_loss(classes, targets, rows),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.astype(int).tolist(),
        "macro_f1": metrics.f1_score(true, predicted, average="macro", zero_division=0),
        "macro_f1_all_classes": metrics.f1_score(true, predicted, average="macro", **every),
        "weighted_f1": metrics.f1_score(true, predicted, average="weighted", **every),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, predicted),
    }


def main():
    warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
    warnings.filterwarnings("ignore", message="A single label was found")
    draw = np.random.default_rng(8)
    made = [scored(draw, *case) for case in cases()]
    fields = lambda case: ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in case.items())
    text = ",\n".join("{\n" + fields(case) + "\n}" for case in made)
    (HERE / "sklearn_metrics.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Histograms of oriented gradients and linear methods as scikit-image and scikit-learn compute them:
baseline.json.

Made with Python 3.11.7, scikit-image 0.26.0, scikit-learn 1.9.1, numpy 2.4.6.
Run beside this file: python baseline.py

- "hog": skimage.feature.hog(block_norm="L2-Hys") of 48x48 grey pictures: the drawn face of
  assets/face.png, the same lying on its side and in weak contrast, and noise.
- "standardisation": StandardScaler's mean and scale of each feature.
- "logistic": LogisticRegression(C), multinomial, its weights, intercepts and the mean log-loss over
  the pictures that trained it, and the logits of others.
- "svm": LinearSVC(C, loss="squared_hinge"), one class against the rest, its decision values for
  pictures that did not train it.

The solvers run to a tolerance far below the tests', so that the numbers are those of the one optimum
that each of these convex problems has.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

HERE = Path(__file__).parent
FACE = HERE.parents[1] / "assets" / "face.png"


def rounded(values):
    """Nine significant digits, as nested lists."""
    return json.loads(json.dumps(np.asarray(values, dtype=np.float64).tolist()),
                      parse_float=lambda digits: float(f"{float(digits):.9g}"))


def hog_cases(draw):
    face = np.array(Image.open(FACE))
    assert face.shape == (48, 48) and face.dtype == np.uint8
    pictures = {
        "drawn face": (face, 9, 8, 2),
        "drawn face, small cells": (face, 9, 6, 2),
        "drawn face on its side": (np.rot90(face), 9, 8, 3),
        "drawn face in weak contrast": (face // 16 + 100, 9, 8, 2),
        "noise, cells that leave a rest": (draw.integers(0, 256, (48, 48)).astype(np.uint8), 7, 10, 2),
    }
    for name, (pixels, orientations, cell, block) in pictures.items():
        described = hog(pixels, orientations, (cell, cell), (block, block), block_norm="L2-Hys")
        yield {
            "name": name,
            "pixels": pixels.ravel().tolist(),
            "orientations": orientations,
            "cell": cell,
            "block": block,
            "features": rounded(described),
        }


def problem(draw, classes, features, pictures, spread):
    """Pictures of overlapping classes, the first ones frequent; features in thousandths."""
    shares = 1.0 / np.arange(1, classes + 1)
    labels = draw.choice(classes, pictures, p=shares / shares.sum())
    labels[:classes] = np.arange(classes)
    centres = draw.normal(0.0, spread, (classes, features))
    rows = centres[labels] + draw.normal(0.0, 1.0, (pictures, features))
    # Columns that go together, as neighbouring pixels do.
    rows[:, 1:] += 0.7 * rows[:, :-1]
    return np.round(rows, 3).astype(np.float32), labels


def linear_cases(draw):
    problems = [
        ("three classes", 3, 6, 90, 0.5, [0.01, 1.0]),
        ("nine classes, some rare", 9, 12, 200, 0.6, [0.003, 0.1]),
        ("more features than pictures", 4, 40, 30, 0.5, [0.001, 0.1]),
    ]
    for name, classes, features, pictures, spread, regularisations in problems:
        rows, labels = problem(draw, classes, features, pictures + 20, spread)
        train, others = rows[:pictures], rows[pictures:]
        labels = labels[:pictures]
        scaler = StandardScaler().fit(train.astype(np.float64))
        yield {
            "name": name,
            "classes": classes,
            "train": [[float(value) for value in row] for row in train],
            "labels": labels.tolist(),
            "others": [[float(value) for value in row] for row in others],
            "standardisation": {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()},
            "logistic": [logistic(train, labels, others, c) for c in regularisations],
            "svm": [svm(train, labels, others, c) for c in regularisations],
        }


def logistic(train, labels, others, c):
    train, others = train.astype(np.float64), others.astype(np.float64)
    model = LogisticRegression(C=c, tol=1e-12, max_iter=100_000).fit(train, labels)
    return {
        "c": c,
        "weights": model.coef_.tolist(),
        "intercepts": model.intercept_.tolist(),
        "log_loss": log_loss(labels, model.predict_proba(train)),
        "logits": model.decision_function(others).tolist(),
    }


def svm(train, labels, others, c):
    train, others = train.astype(np.float64), others.astype(np.float64)
    model = LinearSVC(C=c, loss="squared_hinge", dual=False, tol=1e-12, max_iter=10_000)
    model.fit(train, labels)
    return {"c": c, "decision_values": model.decision_function(others).tolist()}


def main():
    draw = np.random.default_rng(2005)
    made = {"hog": list(hog_cases(draw)), "linear": list(linear_cases(draw))}
    fields = lambda case: ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in case.items())
    cases = lambda name: ",\n".join("{\n" + fields(case) + "\n}" for case in made[name])
    text = ",\n".join(f'"{name}": [\n{cases(name)}\n]' for name in made)
    (HERE / "baseline.json").write_text("{\n" + text + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Temperature scaling and expected calibration error after Guo et al. 2017: calibration.json.

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1.
Run beside this file: python calibration.py

Chuan Guo, Geoff Pleiss, Yu Sun, Kilian Q. Weinberger: On Calibration of Modern Neural Networks, ICML
2017. Their error takes 15 bins of equal width, ((m-1)/15, m/15], of the top probability, and is the
mean over pictures of |share right - mean top probability| of the picture's bin. Their temperature
divides the logits and is the one with the least mean negative log-likelihood of the labels.

Each case has log-probabilities (log-softmax of logits, in f32 as a network gives them) and labels,
the temperature that scipy finds, and loss and error before and after it. No top probability lies
within 1e-5 of a bin's edge, where rounding would decide the bin.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

HERE = Path(__file__).parent
BINS = 15
BOUNDS = np.log([0.1, 10.0])


def case(draw, name, classes, pictures, spread, share_wrong):
    """Logits of this spread, a share of whose labels is drawn anew."""
    logits = draw.normal(0.0, spread, (pictures, classes))
    labels = logits.argmax(axis=1)
    wrong = draw.random(pictures) < share_wrong
    labels[wrong] = draw.integers(0, classes, wrong.sum())
    rows = log_softmax(logits, axis=1).astype(np.float32)
    temperature = fit(rows, labels)
    return {
        "name": name,
        "classes": classes,
        "labels": labels.tolist(),
        "log_probabilities": [[float(value) for value in row] for row in rows],
        "temperature": temperature,
        "loss": loss(rows, labels, 1.0),
        "calibrated_loss": loss(rows, labels, temperature),
        "ece": error(rows, labels, 1.0),
        "calibrated_ece": error(rows, labels, temperature),
    }


def loss(rows, labels, temperature):
    """The mean negative log-likelihood of the labels, in nats."""
    scaled = log_softmax(rows.astype(np.float64) / temperature, axis=1)
    return float(-scaled[np.arange(len(labels)), labels].mean())


def fit(rows, labels):
    """The temperature of the least loss, by bounded minimisation over its logarithm."""
    found = minimize_scalar(
        lambda logarithm: loss(rows, labels, np.exp(logarithm)),
        bounds=BOUNDS, method="bounded", options={"xatol": 1e-9},
    )
    temperature = float(np.exp(found.x))
    assert found.success and 0.11 < temperature < 9.0, temperature
    return temperature


def error(rows, labels, temperature):
    """The expected calibration error, as the authors' code computes it."""
    probabilities = np.exp(log_softmax(rows.astype(np.float64) / temperature, axis=1))
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, BINS + 1)
    assert np.abs(top[:, None] - edges[None, 1:-1]).min() > 1e-5
    total = 0.0
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = (top > lower) & (top <= upper)
        if inside.any():
            total += abs(right[inside].mean() - top[inside].mean()) * inside.mean()
    return float(total)


def main():
    draw = np.random.default_rng(2017)
    cases = [
        case(draw, "too sure, eight classes", 8, 300, 4.0, 0.4),
        case(draw, "not sure enough, seven classes", 7, 200, 0.8, 0.15),
        case(draw, "about right, three classes", 3, 60, 2.0, 0.2),
        case(draw, "two classes, few pictures", 2, 12, 3.0, 0.5),
    ]
    fields = lambda case: ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in case.items())
    text = ",\n".join("{\n" + fields(case) + "\n}" for case in cases)
    (HERE / "calibration.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")
    for made in cases:
        print({key: value for key, value in made.items() if isinstance(value, (str, float))})


if __name__ == "__main__":
    main()

"""What probabilities are worth: probabilities.json.

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, cleanlab 2.9.0.
Run beside this file: python probabilities.py

Each case has log-probabilities (log-softmax of logits, in f32 as a network gives them), labels, and ten
votes a picture, and of these:

- brier: scikit-learn's brier_score_loss with scale_by_half=False, the sum over classes that Brier wrote
  down; nll: its log_loss.
- bins: those that hold pictures, as its calibration_curve gives them (15 of equal width over the top
  probability, an edge belonging to the bin below), with numpy's counts; mce is the largest gap.
- curve: for each top probability that occurs, from the highest on, how many pictures have one as high and
  how many of these are wrong; aurc is the mean over pictures of the risk at their own threshold, as
  Geifman, Uziel and El-Yaniv (ICLR 2019) define it.
- votes: means over pictures of the squared jensenshannon, of rel_entr, of 1 - cosine and of entropy, all
  scipy's, in nats; and the shares that the predicted class has.
- thresholds and doubted: cleanlab's get_confident_thresholds (null for a class without pictures) and the
  places that its compute_confident_joint counts off the diagonal. Where several classes reach their
  threshold cleanlab takes the most probable of all classes, the paper of those that reach it: the cases
  hold no picture for which that differs, nor one within 1e-5 of a threshold or of a bin's edge.
"""

import json
from pathlib import Path

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from scipy.spatial.distance import cosine, jensenshannon
from scipy.special import log_softmax, rel_entr
from scipy.stats import entropy
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

HERE = Path(__file__).parent
BINS = 15


def case(draw, name, classes, pictures, spread, share_wrong, absent=None):
    """Logits of this spread rounded to quarters, so that some are equal; a share of labels drawn anew."""
    logits = np.round(4 * draw.normal(0.0, spread, (pictures, classes))) / 4
    rows = log_softmax(logits, axis=1).astype(np.float32)
    rows[1] = rows[0]
    labels = logits.argmax(axis=1)
    wrong = draw.random(pictures) < share_wrong
    labels[wrong] = draw.integers(0, classes, wrong.sum())
    if absent is not None:
        labels[labels == absent] = (absent + 1) % classes
    softer = np.exp(log_softmax(0.7 * logits, axis=1))
    votes = np.array([draw.multinomial(10, row / row.sum()) for row in softer])
    return {
        "name": name,
        "classes": classes,
        "labels": labels.tolist(),
        "log_probabilities": [[float(value) for value in row] for row in rows],
        "votes": votes.tolist(),
        **scores(rows, labels, classes),
        **curve(rows, labels),
        "agreement": agreement(rows, votes),
        **doubted(rows, labels, classes),
    }


def probabilities(rows):
    return np.exp(rows.astype(np.float64))


def scores(rows, labels, classes):
    shares, names = probabilities(rows), list(range(classes))
    normal = shares / shares.sum(axis=1, keepdims=True)
    top, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    edges = np.linspace(0, 1, BINS + 1)
    assert np.abs(top[:, None] - edges[None, 1:-1]).min() > 1e-5
    accuracy, confidence = calibration_curve(right, top.clip(max=1.0), n_bins=BINS)
    counts, _ = np.histogram(top.clip(max=1.0), edges)
    return {
        "brier": float(brier_score_loss(labels, normal, labels=names, scale_by_half=False)),
        "nll": float(log_loss(labels, normal, labels=names)),
        "mce": float(np.abs(accuracy - confidence).max()),
        "bins": [list(row) for row in zip(
            counts[counts > 0].tolist(), accuracy.tolist(), confidence.tolist(), strict=True)],
    }


def curve(rows, labels):
    # As predictions have it: probabilities of 32 bits.
    top, right = np.exp(rows).max(axis=1), rows.argmax(axis=1) == labels
    levels = [((top >= t).sum(), (~right[top >= t]).sum()) for t in np.unique(top)[::-1]]
    risk = {t: np.mean(~right[top >= t]) for t in np.unique(top)}
    assert len(levels) < len(labels), "some pictures are equally sure"
    return {
        "curve": [[int(answered), int(wrong)] for answered, wrong in levels],
        "aurc": float(np.mean([risk[t] for t in top])),
    }


def agreement(rows, votes):
    shares, voted = probabilities(rows), votes / votes.sum(axis=1, keepdims=True)
    pairs = list(zip(voted, shares))
    own = voted[np.arange(len(rows)), rows.argmax(axis=1)]
    return {
        "jensen_shannon": float(np.mean([jensenshannon(v, p) ** 2 for v, p in pairs])),
        "kullback_leibler": float(np.mean([rel_entr(v, p).sum() for v, p in pairs])),
        "cosine": float(np.mean([1 - cosine(v, p) for v, p in pairs])),
        "vote_share": float(own.mean()),
        "voted_for": float((own > 0).mean()),
        "most_voted": float((own == voted.max(axis=1)).mean()),
        "entropy": float(np.mean([entropy(v) for v in voted])),
    }


def doubted(rows, labels, classes):
    shares = probabilities(rows)
    thresholds = get_confident_thresholds(labels, shares)
    _, places = compute_confident_joint(
        labels, shares, calibrate=False, return_indices_of_off_diagonals=True)
    present = np.isin(np.arange(classes), labels)
    reaches = shares >= thresholds
    several = reaches.sum(axis=1) > 1
    assert reaches[several, shares[several].argmax(axis=1)].all()
    assert np.abs(shares - thresholds)[:, present].min() > 1e-5
    return {
        "thresholds": [float(t) if is_there else None for t, is_there in zip(thresholds, present)],
        "doubted": sorted(int(place) for place in places),
    }


def main():
    draw = np.random.default_rng(1950)
    cases = [
        case(draw, "eight classes, too sure", 8, 200, 3.0, 0.3),
        case(draw, "seven classes, one without pictures", 7, 120, 1.5, 0.2, absent=3),
        case(draw, "three classes, hardly sure", 3, 60, 0.8, 0.3),
        case(draw, "two classes, few pictures", 2, 24, 2.0, 0.4),
    ]
    fields = lambda case: ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in case.items())
    text = ",\n".join("{\n" + fields(case) + "\n}" for case in cases)
    (HERE / "probabilities.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")
    for made in cases:
        print({key: value for key, value in made.items() if isinstance(value, (str, float))})
        print(made["agreement"], len(made["doubted"]), made["thresholds"])


if __name__ == "__main__":
    main()

"""Intervals and tests as statsmodels, scipy and scikit-learn compute them: statsmodels_statistics.json.

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0.
Run beside this file: python statsmodels_statistics.py

- wilson: statsmodels' proportion_confint(method="wilson").
- mcnemar: statsmodels' mcnemar, exact and as chi-squared with continuity correction, on the same counts.
- paired_difference: Newcombe's method 10 (Statistics in Medicine 17, 1998), out of statsmodels' Wilson
  intervals and scikit-learn's Matthews correlation, which is the phi of two binary variables; statsmodels
  has the intervals of independent shares alone. It is the second's share less the first's.
- bootstrap: scipy.stats.bootstrap(method="percentile") over scikit-learn's scores. The indices that it
  drew are stored. macro_f1 is over the classes present in the truth or among the predictions of each
  resample, balanced_accuracy over those present in the truth, a class absent from both has F1 0.
- permutation: scipy.stats.permutation_test of the greatest less the least share of right answers among
  groups. The group labels that it shuffled are stored.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).parent


def wilson_cases():
    counts = [(0, 1), (1, 1), (0, 13), (11, 13), (13, 13), (1, 9), (5, 10), (29, 30), (80, 100), (2799, 3199), (3198, 3199)]
    for part, whole in counts:
        low, high = proportion_confint(part, whole, method="wilson")
        yield {"part": part, "whole": whole, "low": low, "high": high}


def mcnemar_cases():
    for only_first, only_second in [(0, 1), (3, 9), (12, 12), (1, 23), (0, 24), (10, 15), (25, 25), (40, 71), (160, 191), (700, 801)]:
        table = [[100, only_first], [only_second, 7]]
        exact, approximate = mcnemar(table, exact=True), mcnemar(table, exact=False, correction=True)
        yield {
            "only_first": only_first,
            "only_second": only_second,
            "exact": [float(exact.statistic), float(exact.pvalue)],
            "chi_squared": [float(approximate.statistic), float(approximate.pvalue)],
        }


def difference_cases():
    """The first is the example of Newcombe's own table III."""
    for counts in [(36, 12, 2, 0), (2650, 120, 151, 278), (20, 3, 9, 4), (9, 1, 0, 0), (5, 20, 3, 12), (0, 4, 6, 0), (50, 0, 0, 3), (30, 0, 0, 0)]:
        low, high = newcombe(*counts)
        both, first, second, neither = counts
        yield {"counts": counts, "difference": (second - first) / sum(counts), "low": low, "high": high}


def newcombe(both, only_first, only_second, neither):
    pairs = [(1, 1)] * both + [(1, 0)] * only_first + [(0, 1)] * only_second + [(0, 0)] * neither
    first, second = np.array(pairs).T
    n = len(pairs)
    phi = metrics.matthews_corrcoef(first, second)
    product = both * neither - only_first * only_second
    if product > 0:
        phi *= max(product - n / 2, 0) / product
    shares = first.mean(), second.mean()
    intervals = [proportion_confint(x.sum(), n, method="wilson") for x in (first, second)]
    below = [share - low for share, (low, _) in zip(shares, intervals)]
    above = [high - share for share, (_, high) in zip(shares, intervals)]
    reach = lambda one, other: np.sqrt(one**2 - 2 * phi * one * other + other**2)
    difference = shares[1] - shares[0]
    return float(difference - reach(below[1], above[0])), float(difference + reach(above[1], below[0]))


def labels(draw, n, shares, right):
    """True labels of these shares; a prediction is right with this probability, else drawn anew."""
    true = draw.choice(len(shares), n, p=shares)
    return true, np.where(draw.random(n) < right, true, draw.integers(0, len(shares), n))


def scores(true, predicted, classes):
    """Macro F1, weighted F1, balanced accuracy, and the F1 of each class."""
    f1 = lambda average, **more: metrics.f1_score(true, predicted, average=average, zero_division=0, **more)
    return [
        f1("macro"),
        f1("weighted"),
        metrics.balanced_accuracy_score(true, predicted),
        *f1(None, labels=range(classes)),
    ]


def bootstrap_cases(draw):
    every = [
        ("eight classes, some rare", 60, [0.12, 0.04, 0.04, 0.06, 0.25, 0.3, 0.1, 0.09], 0.7, 150),
        ("three classes", 40, [0.5, 0.3, 0.2], 0.8, 200),
        ("all right", 12, [0.6, 0.4], 1.0, 50),
    ]
    for name, n, shares, right, resamples in every:
        classes = len(shares)
        true, predicted = labels(draw, n, shares, right)
        indices = []

        def figures(chosen):
            indices.append(chosen.astype(int).tolist())
            return np.array(scores(true[chosen], predicted[chosen], classes))

        found = stats.bootstrap(
            (np.arange(n),), figures, n_resamples=resamples, method="percentile", vectorized=False,
            rng=np.random.default_rng(len(name)), axis=0,
        )
        # The last call is the estimate itself or the first: only resamples are kept.
        drawn = [chosen for chosen in indices if chosen != list(range(n))]
        assert len(drawn) == resamples
        ends = found.confidence_interval
        yield {
            "name": name,
            "classes": classes,
            "true": true.tolist(),
            "predicted": predicted.tolist(),
            "indices": drawn,
            "low": ends.low.tolist(),
            "high": ends.high.tolist(),
        }


def permutation_cases(draw):
    every = [("two groups", 60, [0.5, 0.5], [0.9, 0.6]), ("four groups", 80, [0.4, 0.3, 0.2, 0.1], [0.7, 0.75, 0.8, 0.6])]
    for name, n, shares, right_shares in every:
        groups = draw.choice(len(shares), n, p=shares)
        right = draw.random(n) < np.array(right_shares)[groups]
        shuffled = []

        def gap(labels):
            shuffled.append(labels.astype(int).tolist())
            by_group = [right[labels == group].mean() for group in range(len(shares))]
            return max(by_group) - min(by_group)

        found = stats.permutation_test(
            (groups,), gap, permutation_type="pairings", vectorized=False, n_resamples=199,
            alternative="greater", rng=np.random.default_rng(n),
        )
        permuted = shuffled[-199:]
        assert shuffled[0] == groups.tolist()
        yield {
            "name": name,
            "right": right.tolist(),
            "groups": groups.tolist(),
            "permuted": permuted,
            "gap": float(found.statistic),
            "p_value": float(found.pvalue),
        }


def main():
    warnings.filterwarnings("ignore")
    draw = np.random.default_rng(95)
    made = {
        "wilson": list(wilson_cases()),
        "mcnemar": list(mcnemar_cases()),
        "paired_difference": list(difference_cases()),
        "bootstrap": list(bootstrap_cases(draw)),
        "permutation": list(permutation_cases(draw)),
    }
    for kind, cases in made.items():
        for case in cases:
            print(kind, {key: value for key, value in case.items() if key not in ("indices", "permuted", "true", "predicted", "right", "groups")})
    lines = lambda cases: ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
    text = ",\n".join(f"{json.dumps(kind)}: [\n{lines(cases)}\n]" for kind, cases in made.items())
    (HERE / "statsmodels_statistics.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

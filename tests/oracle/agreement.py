"""Spearman's rank correlation and average precision: agreement.json.

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1.
Run beside this file: python agreement.py

Each case has two lists of numbers, `densities` and `units`, as the regions of a face have them, with
ties in both; what scipy.stats.spearmanr finds for them; and what
sklearn.metrics.average_precision_score finds for the densities as scores of what has any unit.
"""

import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

HERE = Path(__file__).parent


def case(draw, length, decimals):
    """Few decimals make ties among the densities; units always have some."""
    densities = np.round(draw.gamma(2.0, 0.5, length), decimals)
    units = draw.integers(0, 4, length)
    units[draw.integers(length)] = 0
    units[0] = max(units[0], 1)
    return {
        "densities": densities.tolist(),
        "units": units.tolist(),
        "rank_correlation": float(spearmanr(densities, units).statistic),
        "average_precision": float(average_precision_score(units > 0, densities)),
    }


def main():
    draw = np.random.default_rng(7)
    cases = [case(draw, length, decimals) for length in (6, 6, 6, 12, 40) for decimals in (3, 1, 0)]
    (HERE / "agreement.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()

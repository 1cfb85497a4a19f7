"""The results as a table in Markdown and as JSON."""

import json
import platform
import statistics
from importlib import metadata
from pathlib import Path

from rows import GROUPS

VERSIONS = ["torch", "keras", "tensorflow-cpu", "onnxruntime", "numpy", "pandas", "opencv-python-headless"]


def comparisons(row, found):
    """[(group, the worker that is its best, its median, ratio to ours, wanted ratio)]."""
    ours = statistics.median(found[row.workers()[0]])
    made = []
    for group, wanted in row.wanted.items():
        medians = {name: statistics.median(found[name]) for name in GROUPS[group] if name in found}
        if medians:
            best = min(medians, key=medians.get)
            made.append((group, best, medians[best], medians[best] / ours, wanted))
    return made


def table(results, left_out):
    """Markdown: a line for each row, how many times longer each peer takes, then what went otherwise:
    rows and peers left out, crashes."""
    lines = ["| work | fer | the same elsewhere, and how many times ours |", "|---|--:|---|"]
    for row, found in results:
        ours = shown(statistics.median(found[row.workers()[0]]), row.unit)
        cells = [cell(row, comparison) for comparison in comparisons(row, found)]
        lines.append(f"| {row.title} | {ours} | {', '.join(cells)} |")
    lines += [""] + [f"- {what}: {why}" for what, why in left_out]
    return "\n".join(lines)


def cell(row, comparison):
    group, _, median, ratio, wanted = comparison
    missed = "" if wanted is None or ratio >= wanted else f", {wanted:g} wanted"
    return f"{group} {shown(median, row.unit)} (**{ratio:.2f}**{missed})"


def shown(value, unit):
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def as_json(results, left_out, threads):
    """Every number of every round, with the machine and the versions."""
    made = {
        "machine": {"processor": processor(), "system": platform.system(), "threads": threads},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
        "rows": [as_dictionary(row, found) for row, found in results],
        "remarks": [{"what": what, "why": why} for what, why in left_out],
    }
    return json.dumps(made, indent=1) + "\n"


def as_dictionary(row, found):
    return {
        "row": row.key,
        "title": row.title,
        "unit": row.unit,
        "median": {name: statistics.median(values) for name, values in found.items()},
        "rounds": found,
        "against": [
            {"group": group, "best": best, "ratio": ratio, "wanted": wanted}
            for group, best, _, ratio, wanted in comparisons(row, found)
        ],
    }


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor():
    """The processor's name as Linux knows it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()

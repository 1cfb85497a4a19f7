"""Trains the rows of rows.toml, each with several seeds, and writes their table into README.md.

Each run is one process with one thread, as many at a time as --jobs says. What a run came to is kept in
results.json beside this script, with its command and a hash of ablation.toml: it is not repeated, on this
machine or another, until one of them changes. A run that was stopped is gone on with. Figures are those of
validation, a tenth of Training: nothing here looks at PublicTest. Options that are `removed` keep what their
runs came to. Needs python 3.11, nothing besides.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import threading
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONFIG = HERE / "ablation.toml"
RESULTS = HERE / "results.json"
LOCK = threading.Lock()
BEGIN, END = "<!-- ablations -->", "<!-- end of ablations -->"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="fer2013.csv")
    parser.add_argument("--ferplus", required=True, help="fer2013new.csv")
    parser.add_argument("--seeds", type=int, default=2, help="seeds for each row, from 0 [2]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time [one a core]")
    parser.add_argument("--rows", help="names of rows, or parts of names, between commas [all]")
    parser.add_argument("--program", default=str(ROOT / "target/release/fer-train"))
    parser.add_argument("--out", default=str(ROOT / "target/accuracy"), help="where the runs are left")
    parser.add_argument("--table-only", action="store_true", help="train nothing, write the table")
    parser.set_defaults(config=CONFIG)
    return parser.parse_args()


def folder(out, row, seed):
    letters = "".join(letter if letter.isalnum() else "-" for letter in row["name"])
    return pathlib.Path(out) / f"{letters}-seed{seed}"


def command(options, row, seed):
    words = ["train", "--data", options.data, "--ferplus", options.ferplus]
    words += ["--config", str(options.config), "--seed", str(seed)]
    for value in row["set"]:
        words += ["--set", value.replace("OUT", str(options.out)).replace("SEED", str(seed))]
    return words


def settings(row, seed):
    """What decides a run, whichever machine it is on."""
    named = CONFIG.relative_to(ROOT)
    names = argparse.Namespace(data="fer2013.csv", ferplus="fer2013new.csv", config=named, out="OUT")
    config = tomllib.loads(CONFIG.read_text())
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    return {"command": " ".join(command(names, row, seed)), "config": digest}


def results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def result(row, seed):
    wanted = settings(row, seed)
    found = (kept for kept in results() if wanted.items() <= kept.items())
    return next(found, None)


def keep(row, seed, run):
    report = json.loads((run / "validation.json").read_text())
    figures = {name: report[name] for name in ("accuracy", "macro_f1", "n")}
    new = settings(row, seed) | figures
    with LOCK:
        others = [kept for kept in results() if kept["command"] != new["command"]]
        ordered = sorted([*others, new], key=lambda kept: kept["command"])
        RESULTS.write_text("[\n" + ",\n".join(json.dumps(kept) for kept in ordered) + "\n]\n")


def train(options, row, seed):
    if result(row, seed):
        return
    run = folder(options.out, row, seed)
    run.parent.mkdir(parents=True, exist_ok=True)
    same_as_before(run, json.dumps(settings(row, seed)))
    if not (run / "metrics.json").exists():
        if (run / "config.toml").exists():
            words = [options.program, "--resume", str(run)]
        else:
            words = [options.program, *command(options, row, seed), "--out", str(run)]
        with open(f"{run}.log", "a") as log:
            environment = dict(os.environ, RAYON_NUM_THREADS="1")
            done = subprocess.run(words, stdout=log, stderr=subprocess.STDOUT, env=environment)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}; see {run}.log")
    keep(row, seed, run)


def same_as_before(run, wanted):
    """Stops where the run in this place was trained by another command or another ablation.toml."""
    kept = pathlib.Path(f"{run}.settings")
    if kept.exists() and kept.read_text() != wanted:
        raise SystemExit(f"{run} was trained with other settings, see {kept}; delete it or give another --out")
    kept.write_text(wanted)


def figures(options, row):
    """Accuracy, macro F1 and number of pictures by seed."""
    found = ((seed, result(row, seed)) for seed in range(options.seeds))
    return {seed: (100 * kept["accuracy"], kept["macro_f1"], kept["n"]) for seed, kept in found if kept}


def spread(values, digits):
    mean = statistics.mean(values)
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:.{digits}f}{deviation}"


def table(options, rows):
    found = [(row, figures(options, row)) for row in rows]
    found = [(row, runs) for row, runs in found if runs]
    if not found or found[0][0] is not rows[0]:
        raise SystemExit(f"the row that the others are compared with has no run yet: {rows[0]['name']}")
    first = found[0][1]
    lines = ["| change | accuracy, % | macro F1 | against the first row | seeds | `--set` |", "|---|---|---|---|---|---|"]
    for row, runs in found:
        accuracy, f1 = [run[0] for run in runs.values()], [run[1] for run in runs.values()]
        # Seeds differ by more than most rows do: the same ones are compared.
        changes = [statistics.mean(run[place] - first[seed][place] for seed, run in runs.items()) for place in (0, 1)]
        change = f"{changes[0]:+.1f}, {changes[1]:+.3f}"
        values = " ".join(f"`{value}`" for value in row["set"]) or "–"
        name = row["name"] + (" (removed since)" if row.get("removed") else "")
        cells = [name, spread(accuracy, 1), spread(f1, 3), change if row is not found[0][0] else "–", len(runs), values]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    first_command = "fer-train " + settings({"set": []}, 0)["command"]
    return "\n".join(
        [BEGIN, "", f"n = {first[0][2]} pictures; a row is compared with the same seeds of the first. The first row's command, to which the others add their `--set`:", "", "```text"]
        + [first_command, "```", ""] + lines + ["", END]
    )


def main():
    options = arguments()
    rows = tomllib.loads((HERE / "rows.toml").read_text())["row"]
    wanted = rows
    if options.rows:
        parts = options.rows.split(",")
        wanted = [row for row in rows if any(part in row["name"] for part in parts)]
    if not options.table_only:
        work = [(row, seed) for seed in range(options.seeds) for row in wanted if not row.get("removed")]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for done in [pool.submit(train, options, row, seed) for row, seed in work]:
                done.result()
    readme = HERE / "README.md"
    text = readme.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + table(options, rows) + after)


if __name__ == "__main__":
    main()

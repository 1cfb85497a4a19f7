"""Fuzzes every target for some time with cargo fuzz, and writes what it tried into runs.csv.

Needs cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler; runs on the stable toolchain, without a
sanitizer, for the code is safe Rust. What did harm is left in artifacts/; once mended it belongs, made
small by `cargo fuzz tmin`, into crashes/ under its target's name, where the tests find it.
"""

import argparse
import csv
import pathlib
import re
import subprocess
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RUNS = HERE / "runs.csv"
COLUMNS = ["target", "seconds", "inputs", "corpus", "failures"]


def arguments():
    names = [target["name"] for target in tomllib.loads((HERE / "Cargo.toml").read_text())["bin"]]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=names, metavar="TARGET", help=" ".join(names))
    parser.add_argument("--seconds", type=int, default=600, help="for each target [600]")
    return parser.parse_args()


def seeds(target):
    """The folders that src/ names for the target."""
    text = "".join(path.read_text() for path in (HERE / "src").glob("*.rs"))
    block = re.search(rf'name: "{target}",.*?seeds: &\[(.*?)\]', text, re.DOTALL)
    return [str(ROOT / folder) for folder in re.findall(r'"([^"]+)"', block[1])]


def fuzz(target, seconds):
    corpus, artifacts = HERE / "corpus" / target, HERE / "artifacts" / target
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    options = ["run", "--fuzz-dir", str(HERE), "--dev", "--sanitizer", "none", "--features", "libfuzzer"]
    limits = [f"-max_total_time={seconds}", "-max_len=65536", "-timeout=5", "-rss_limit_mb=6144", "-print_final_stats=1"]
    words = ["cargo", "fuzz", *options, target, str(corpus), *seeds(target), "--", *limits]
    start = time.monotonic()
    with open(HERE / "artifacts" / f"{target}.log", "w") as log:
        subprocess.run(words, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    took = time.monotonic() - start
    text = (HERE / "artifacts" / f"{target}.log").read_text(errors="replace")
    inputs = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    if not inputs:
        raise SystemExit(f"{target} did not run:\n{text[-2000:]}")
    count = lambda folder: sum(1 for _ in folder.iterdir())
    return [target, round(took), int(inputs[1]), count(corpus), count(artifacts)]


def main():
    options = arguments()
    kept = {row["target"]: row for row in csv.DictReader(open(RUNS))} if RUNS.exists() else {}
    for target in options.targets:
        row = fuzz(target, options.seconds)
        print(*row, flush=True)
        kept[target] = dict(zip(COLUMNS, row))
        with open(RUNS, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept.values())


if __name__ == "__main__":
    main()

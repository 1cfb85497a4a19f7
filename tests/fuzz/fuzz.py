"""Fuzzes every target for some time with cargo fuzz, and adds what it tried to runs.csv.

Needs cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler; runs on the stable toolchain, without a
sanitizer, for the code is safe Rust. What did harm is left in target/fuzz/artifacts; once mended it belongs, made
small by `cargo fuzz tmin`, into crashes/ under its target's name, where the tests find it. With FUZZ_LOUD=1 a
target says why it panics.
"""

import argparse
import csv
import pathlib
import re
import resource
import subprocess
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLACE = ROOT / "target/fuzz"
RUNS = HERE / "runs.csv"
COLUMNS = ["target", "processor_seconds", "inputs", "corpus", "failures"]


def arguments():
    names = [target["name"] for target in tomllib.loads((HERE / "Cargo.toml").read_text())["bin"]]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=names, metavar="TARGET", help=" ".join(names))
    parser.add_argument("--seconds", type=int, default=600, help="of the processor for each target [600]")
    return parser.parse_args()


def seeds(target):
    """The folders that src/ names for the target."""
    text = "".join(path.read_text() for path in (HERE / "src").glob("*.rs"))
    block = re.search(rf'name: "{target}",.*?seeds: &\[(.*?)\]', text, re.DOTALL)
    return [str(ROOT / folder) for folder in re.findall(r'"([^"]+)"', block[1])]


def cargo_fuzz(command):
    return ["cargo", "fuzz", command, "--fuzz-dir", str(HERE), "--dev", "--sanitizer", "none", "--features", "libfuzzer"]


def fuzz(target, seconds):
    """Until so many seconds of the processor are spent, whatever else the machine does."""
    corpus, artifacts = PLACE / "corpus" / target, PLACE / "artifacts" / target
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    log = PLACE / "artifacts" / f"{target}.log"
    folders = [str(corpus), *seeds(target)]
    spent, inputs = 0.0, 0
    while spent < seconds:
        limits = [f"-max_total_time={max(1, round(seconds - spent))}", "-max_len=65536", "-timeout=25"]
        limits += ["-rss_limit_mb=6144", "-print_final_stats=1", f"-artifact_prefix={artifacts}/"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(log, "w") as out:
            words = [*cargo_fuzz("run"), target, *folders, "--", *limits]
            done = subprocess.run(words, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", log.read_text(errors="replace"))
        if not executed:
            raise SystemExit(f"{target} did not run:\n{log.read_text(errors='replace')[-2000:]}")
        inputs += int(executed[1])
        if done.returncode != 0:
            print(f"{target}: something did harm, see {log}", flush=True)
            break
    count = lambda folder: sum(1 for _ in folder.iterdir())
    return [target, round(spent), inputs, count(corpus), count(artifacts)]


def added(before, now):
    """Time and inputs add up over runs; files are counted as they are."""
    if before:
        for column in ("processor_seconds", "inputs"):
            now[column] += int(before[column])
    return now


def main():
    options = arguments()
    subprocess.run(cargo_fuzz("build"), cwd=ROOT, check=True)
    for target in options.targets:
        row = fuzz(target, options.seconds)
        print(*row, flush=True)
        kept = {row["target"]: row for row in csv.DictReader(open(RUNS))} if RUNS.exists() else {}
        kept[target] = added(kept.get(target), dict(zip(COLUMNS, row)))
        with open(RUNS, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept.values())


if __name__ == "__main__":
    main()

"""What a training step asks of a GPU: counted, not run.

    python3 tests/cuda/count.py [--networks cnn,vgg] [--out FILE] [--beside FILE]

fer-train, built for CUDA as `just cuda-link` builds it, trains with a driver that computes nothing and counts
(driver.c). A run of 16 steps less one of 8 is what 8 steps ask for, without the beginning, the judging and the end;
24 less 16 must be the same. No figure of these runs and no time means anything.

Prints tables in Markdown; --out keeps the numbers as JSON, --beside sets those of such a file before them.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import build
import pictures
import stacks
import tables

DRIVER = build.ROOM / "counting"
# All that would ask a real driver for something is taken by ours.
STANDS_FOR = ["libcuda.so.1", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10", "libnvrtc.so.13"]
NETWORKS = {
    "cnn": ["--arch", "cnn"],
    "vgg": ["--recipe", "quick", "--set", 'model={arch = "vgg", width = 24, dropout = 0.2}'],
    "resvgg": ["--recipe", "ferplus"],
}
BATCH = 32
STEPS = 8
# Frames of the stack that are told apart; ours are among them.
DEPTH = "48"


def make_driver():
    """Compiles the driver, with an answer to whatever else the program could ask for."""
    asked = names_of("--undefined-only", build.PROGRAM)
    library = DRIVER / "driver.so"
    source = build.HERE / "driver.c"
    build.compile_library(source, library, "-Wall", "-Wextra")
    missing = sorted(name for name in asked - names_of("--defined-only", library)
                     if re.match(r"(cu[A-Z]|cublas|curand|nvrtc)", name))
    rest = DRIVER / "rest.c"
    rest.write_text("int unanswered(const char *name);\n"
                    + "".join(f'int {name}(void) {{ return unanswered("{name}"); }}\n' for name in missing))
    build.compile_library(source, library, rest, "-Wall", "-Wextra")
    for name in STANDS_FOR:
        link = DRIVER / name
        link.unlink(missing_ok=True)
        link.symlink_to(library.name)


def names_of(which, path):
    listed = build.run("nm", "-D", which, path, capture_output=True).stdout
    return {line.split()[-1].split("@")[0] for line in listed.splitlines() if line}


def train(folder, network, steps):
    """The counts of a run of so many steps."""
    counts, run = folder / f"{network}{steps}.json", folder / f"{network}{steps}"
    manifest = folder / str(steps) / "manifest.csv"
    if not manifest.exists():
        pictures.make(manifest.parent, BATCH * steps)
    command = [build.PROGRAM, "train", "--device", "cuda", "--data", manifest, *NETWORKS[network], "--epochs", "1",
               "--batch-size", str(BATCH), "--checkpoint-every", "1000000", "--out", run]
    environment = build.environment(DRIVER, build.LIBRARIES, COUNTS=str(counts), COUNTS_DEPTH=DEPTH)
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True)
    if done.returncode != 0 or "does not count" in done.stderr:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(counts.read_text())


def by_place(counted):
    """Times and bytes by kind, name and stack."""
    totals = collections.defaultdict(lambda: [0, 0])
    for one in counted["counts"]:
        total = totals[one["kind"], one["name"], tuple(one["stack"])]
        total[0] += one["times"]
        total[1] += one["bytes"]
    return totals


def difference(more, less):
    """What the steps ask for that one run has more than the other."""
    found = {}
    for place, (times, size) in more.items():
        before = less.get(place, [0, 0])
        if [times, size] != before:
            found[place] = (times - before[0], size - before[1])
    return found


def steps_of(network, folder):
    """What one step asks for: rows of kind, kernel, part of the step and function."""
    counted = {steps: by_place(train(folder, network, steps)) for steps in (STEPS, 2 * STEPS, 3 * STEPS)}
    found = difference(counted[2 * STEPS], counted[STEPS])
    if difference(counted[3 * STEPS], counted[2 * STEPS]) != found:
        sys.exit(f"{network}: the second {STEPS} steps do not ask for what the third do")
    names = stacks.Stacks(build.PROGRAM, build.ROOT, {address for _, _, stack in found for address in stack})
    rows = collections.defaultdict(lambda: [0, 0])
    for (kind, name, stack), (times, size) in found.items():
        row = rows[kind, name, names.part(stack), *names.site(stack)]
        row[0] += times / STEPS
        row[1] += size / STEPS
    fields = ("kind", "name", "part", "site", "line", "times", "bytes")
    ordered = sorted(rows.items(), key=lambda row: (row[0][0], -row[1][0], row[0]))
    return [dict(zip(fields, (*key, *amounts), strict=True)) for key, amounts in ordered]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default=",".join(NETWORKS), help="which of cnn, vgg and resvgg")
    parser.add_argument("--out", type=pathlib.Path, help="keep the numbers in this JSON")
    parser.add_argument("--beside", type=pathlib.Path, help="set the numbers of this JSON before these")
    return parser.parse_args()


def write(path, networks):
    """A row a line, so that a change shows where it is."""
    texts = [f"{json.dumps(network)}: [\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]"
             for network, rows in networks.items()]
    path.write_text("{\n" + ",\n".join(texts) + "\n}\n")


def beside(path, networks):
    """Each network as it was and as it is."""
    before = json.loads(path.read_text())
    both = {}
    for network, rows in networks.items():
        if network in before:
            both[f"{network}, {path.stem}"] = before[network]
        both[network] = rows
    return both


def main():
    asked = arguments()
    build.build()
    make_driver()
    with tempfile.TemporaryDirectory() as folder:
        networks = {network: steps_of(network, pathlib.Path(folder)) for network in asked.networks.split(",")}
    if asked.out:
        write(asked.out, networks)
    tables.print_all(beside(asked.beside, networks) if asked.beside else networks)


if __name__ == "__main__":
    main()

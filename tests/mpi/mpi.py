"""Several processes under mpirun: what `just mpi-test` tries, and what `just mpi-bench` measures.

    python3 tests/mpi/mpi.py test  FER_TRAIN EXAMPLE
    python3 tests/mpi/mpi.py bench FER_TRAIN EXAMPLE [--rounds N]

FER_TRAIN is the program built with the feature `mpi`, EXAMPLE what is in main.rs. It needs Open MPI and
nothing beside Python's own library.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

# Shared memory, and TCP through the loopback, which Open MPI would not choose by itself on one machine.
WAYS = {"shared memory": "self,vader", "TCP": "self,tcp"}
# Open MPI asks for both where root runs it, as in a container.
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
# For each optimiser how far losses may be apart, and a rate at which a rounding does not grow: each winner
# of a pool that changes moves the rest.
STEPS = {"sgd": (1e-5, 1e-4), "adam": (1e-3, 3e-5)}


def environment():
    return {**os.environ, **(AS_ROOT if os.geteuid() == 0 else {})}


def mpirun(processes, way, *command):
    """A command on so many processes, each on a core of its own where there are as many."""
    binding = "core" if os.cpu_count() >= processes else "none"
    return ["mpirun", "-n", str(processes), "--oversubscribe", "--bind-to", binding, "--mca", "pml", "ob1",
            "--mca", "btl", WAYS[way], *map(str, command)]


def run(command, expected=0):
    done = subprocess.run(list(map(str, command)), env=environment(), capture_output=True, text=True)
    if done.returncode != expected:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def line(command):
    return json.loads(run(command).stdout.splitlines()[-1])


def say(name, text):
    print(f"{name:<16}{text}", flush=True)


def follow_fifty_steps(example):
    for architecture in ("cnn", "vgg"):
        for optimiser, (tolerance, rate) in STEPS.items():
            words = ("steps", architecture, optimiser, rate)
            one = line([example, *words])["losses"]
            for way in WAYS:
                two = line(mpirun(2, way, example, *words))["losses"]
                farthest = max(abs(a - b) / b for a, b in zip(two, one, strict=True))
                say("50 steps", f"{architecture}, {optimiser}, 2 processes, {way}: "
                    f"losses differ by {farthest:.1e} at most, {tolerance:.0e} allowed")
                if not farthest <= tolerance:
                    sys.exit("they do not follow one process")


def training(program, out, more=()):
    """A short run with a checkpoint at every fifth step."""
    return [program, "train", "--arch", "cnn", "--epochs", "2", "--batch-size", "128",
            "--checkpoint-every", "5", "--out", out, *more]


def results(run_directory):
    names = ("model.safetensors", "metrics.json", "history.csv", "predictions.csv")
    return {name: (run_directory / name).read_bytes() for name in names}


def process_of_rank(rank, program):
    """The number of the process of this rank that runs `program`, once it is there."""
    wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    while True:
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.path.samefile(process / "exe", program) \
                        and wanted in (process / "environ").read_bytes().split(b"\0"):
                    return int(process.name)
            except OSError:
                continue
        time.sleep(0.05)


def kill_and_resume(program, folder):
    whole = folder / "whole"
    run(mpirun(2, "shared memory", *training(program, whole)))
    expected = results(whole)
    again = folder / "tcp"
    run(mpirun(2, "TCP", *training(program, again)))
    say("same bytes", "from run to run, and through shared memory and through TCP: "
        + ("yes" if results(again) == expected else sys.exit("no")))
    for rank in (1, 0):
        broken = folder / f"killed-{rank}"
        job = subprocess.Popen(mpirun(2, "shared memory", *training(program, broken)), env=environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while len(list(broken.glob("checkpoints/step-*.safetensors"))) < 2:
            if job.poll() is not None:
                sys.exit(f"it ended by itself:\n{job.stdout.read()}")
            time.sleep(0.01)
        os.kill(process_of_rank(rank, program), signal.SIGKILL)
        said = job.communicate()[0]
        if job.returncode == 0 or (broken / "model.safetensors").exists():
            sys.exit(f"the run of a process that was killed did not end:\n{said}")
        told = next((text for text in said.splitlines() if "rank" in text and "signal" in text), None)
        say("kill -9", f"of rank {rank}: exit {job.returncode}; mpirun says: {told}")
        alone = run([program, "--resume", broken], expected=2).stderr.strip()
        say("", f"resumed by one process: {alone}")
        done = run(mpirun(2, "shared memory", program, "--resume", broken))
        where = next(text for text in done.stdout.splitlines() if text.startswith("resumed"))
        if results(broken) != expected:
            sys.exit("a run that was killed and resumed has other results")
        say("", f"resumed by two: {where.split(maxsplit=1)[1]}; the bytes of an undisturbed run")


def refuse_other_data(program, folder):
    """Two machines whose folders of the same name differ in a picture, as two working directories here."""
    drawn = random.Random(1)
    machines = [folder / "one", folder / "other"]
    for name in ("happy", "sad"):
        for machine in machines:
            (machine / "faces" / name).mkdir(parents=True)
        for number in range(30):
            picture = b"P5 48 48 255\n" + drawn.randbytes(48 * 48)
            for machine in machines[: 1 if (name, number) == ("sad", 7) else 2]:
                (machine / "faces" / name / f"{number}.pgm").write_bytes(picture)
    train = [program, "train", "--data", "faces", "--epochs", "1", "--out", folder / "refused"]
    parts = [["-n", "1", "-wdir", machine, *train] for machine in machines]
    command = ["mpirun", "--oversubscribe", *parts[0], ":", *parts[1]]
    done = subprocess.run(list(map(str, command)), env=environment(), capture_output=True, text=True)
    told = next((text for text in done.stderr.splitlines() if text.startswith("error")), done.stderr)
    say("other data", f"exit {done.returncode}: {told}")
    if done.returncode == 0 or "digest" not in told:
        sys.exit("processes with other data were not refused")


def seconds_an_epoch(run_directory):
    with open(run_directory / "timing.csv", newline="", encoding="utf-8") as file:
        return [float(row["seconds"]) for row in csv.DictReader(file)]


def scaling(program, folder, rounds):
    """Training alone, without judging: epochs of one and of two processes in turn, one thread each."""
    found = {}
    for architecture in ("vgg", "cnn"):
        times = {1: [], 2: []}
        for turn in range(rounds):
            for processes in times:
                out = folder / f"{architecture}-{processes}-{turn}"
                run(mpirun(processes, "shared memory", program, "train", "--arch", architecture,
                           "--batch-size", "128", "--epochs", "3", "--validation-fraction", "0",
                           "--set", "training.monitor=nothing", "--out", out))
                # The first epoch warms up.
                times[processes] += seconds_an_epoch(out)[1:]
        pairs = {processes: statistics.median(seconds) for processes, seconds in times.items()}
        say("scaling", f"{architecture}, batch 128: {pairs[1]:.2f} s an epoch with one process, "
            f"{pairs[2]:.2f} s with two: {pairs[1] / pairs[2]:.2f} times "
            f"(quickest {min(times[1]):.2f} and {min(times[2]):.2f}: {min(times[1]) / min(times[2]):.2f})")
        found[architecture] = times
    return found


def sums(example):
    found = {}
    for name, values in (("vgg", 1_165_416), ("cnn", 839_176), ("a normalisation's", 512)):
        for way in WAYS:
            took = line(mpirun(2, way, example, "sums", values))
            say("sum", f"{name} {values:,} values, 2 processes, {way}: {1e3 * took['median']:.3f} ms, "
                f"quickest {1e3 * took['quickest']:.3f} ms")
            found[f"{values} {way}"] = took
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("test", "bench"))
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("example", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, help="keep what was measured here")
    arguments = parser.parse_args()
    program, example = arguments.program.resolve(), arguments.example.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if arguments.what == "test":
            follow_fifty_steps(example)
            refuse_other_data(program, folder)
            kill_and_resume(program, folder)
        found = {"sums": sums(example), "seconds an epoch": scaling(program, folder, arguments.rounds)}
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Whole processes: how long one takes and how much memory it held at its peak."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from worker import PeerError

HERE = Path(__file__).parent


def run(command, environment):
    """(seconds, peak resident bytes, what it printed) of a command that must succeed.

    This process stays small: Linux counts its own size to the child that it starts."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=errors, env=os.environ | environment)
        except OSError as error:
            raise PeerError(f"{command[0]} does not start: {error}") from error
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            words = errors.read().decode(errors="replace")[-2000:]
            raise PeerError(f"{' '.join(map(str, command))} ended with {child.returncode}\n{words}")
        output.seek(0)
        return seconds, usage.ru_maxrss * 1024, output.read().decode(errors="replace")


def first_prediction(setting):
    """{worker: a function that gives the seconds of one process}."""
    environment, exchange = setting.environment(setting.threads), setting.exchange
    face = exchange / "face.png"
    ours = [setting.fer_train, "predict", "--model", exchange / "cnn-model.safetensors", face]
    theirs = [sys.executable, HERE / "pytorch_prediction.py", exchange / "cnn-model.pt", face]
    return {
        "fer-process": lambda: run(ours, environment)[0],
        "pytorch-process": lambda: run(theirs, environment)[0],
    }


def memory(setting):
    """{worker: a function that gives the peak bytes of one training run}."""
    environment = setting.environment(setting.threads)
    theirs = [sys.executable, HERE / "pytorch_training.py", setting.fer2013, str(setting.threads)]

    def ours():
        with tempfile.TemporaryDirectory(dir=setting.folder) as made:
            command = [setting.fer_train, "train", "--data", setting.fer2013, "--arch", "cnn",
                       "--epochs", "1", "--out", Path(made) / "run"]
            return run(command, environment)[1]

    return {"fer-process": ours, "pytorch-process": lambda: run(theirs, environment)[1]}


def read_csv(setting):
    """{worker: a function that gives the seconds of one reading}."""
    return reading(setting, "csv", setting.fer2013)


def decode_folder(setting):
    """{worker: a function that gives the seconds of one reading}."""
    return reading(setting, "folder", setting.png_folder)


def reading(setting, work, path):
    """Each process reads once and prints the seconds of the reading alone, of each of its ways."""
    environment, counts = setting.environment(setting.threads), set()

    def fastest(command):
        output = run([*command, work, path, "1"], environment)[2]
        said = json.loads(output.splitlines()[-1])
        counts.add(said["pictures"])
        if len(counts) != 1:
            raise PeerError(f"the peers read different numbers of pictures: {sorted(counts)}")
        engines = said.get("engines") or {"fer": said["seconds"]}
        return min(statistics.median(seconds) for seconds in engines.values())

    return {
        "fer-process": lambda: fastest([setting.examples / "reading"]),
        "reading": lambda: fastest([sys.executable, HERE / "reading.py"]),
    }


ROWS = {
    "first": first_prediction,
    "memory": memory,
    "read/fer2013": read_csv,
    "read/folder": decode_folder,
}

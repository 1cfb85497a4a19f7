#!/usr/bin/env python3
"""Loads `fer-train serve` and a FastAPI service of the same model, in turn, and prints a table.

See README.md beside this file."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

# How many times the throughput of the fastest peer ours must have.
WANTED = 2.0
# By how much memory may grow in a minute under load, after ten seconds of it: a leak grows with each request.
GROWTH = 1.15
# Photographs in flight, which take longer each.
PHOTOGRAPHS = 32
PHOTOGRAPH = "a photograph of 512×512, its face found first, 32 in flight"
# How far the probabilities of the two may be apart.
AGREEMENT = 1e-3


class Failure(Exception):
    """What ends the measurement with a word to people."""


@dataclass
class Service:
    """One way to be asked about pictures."""

    name: str
    command: list
    environment: dict = field(default_factory=dict)
    query: str = ""

    def start(self):
        return Running(self)


class Running:
    """A service that takes requests, ended with the block."""

    def __init__(self, service):
        self.service = service
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/predict"
        command = [str(word).replace("PORT", str(port)) for word in service.command]
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, env=os.environ | service.environment, stdout=self.errors,
                                      stderr=self.errors, stdin=subprocess.DEVNULL, cwd=HERE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()

    def wait(self, body):
        """The answer to a first picture, once there is one."""
        start = time.monotonic()
        while True:
            try:
                request = urllib.request.Request(self.address + self.service.query, body, method="POST")
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except OSError as error:
                if self.child.poll() is not None or time.monotonic() - start > 60:
                    self.errors.seek(0)
                    words = self.errors.read().decode(errors="replace")[-2000:]
                    raise Failure(f"{self.service.name} does not answer: {error}\n{words}") from error
                time.sleep(0.1)

    def memory(self):
        """Resident bytes of the process and all that it started."""
        return sum(resident(process) for process in family(self.child.pid))


    def processor(self):
        """Seconds of all cores that they have used."""
        return sum(used(process) for process in family(self.child.pid))


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def family(process):
    """A process and what it started."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [process] + [one for child in children for one in family(int(child))]


def resident(process):
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0


def used(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(running, body, connections, seconds):
    """What wrk saw of a service, and the memory that the service held, second by second."""
    command = ["wrk", "--threads", "1", "--connections", connections, "--duration", f"{seconds}s",
               "--timeout", "120s", "--script", HERE / "post.lua", running.address + running.service.query]
    memory, over = [], threading.Event()

    def watch():
        while not over.wait(1):
            memory.append(running.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = running.processor()
    try:
        output = subprocess.run([str(word) for word in command], env=os.environ | {"BODY": str(body)},
                                capture_output=True, text=True, check=True).stdout
    finally:
        over.set()
        watcher.join()
    figures = json.loads(re.search(r"^figures (.*)$", output, re.MULTILINE)[1])
    figures["processor_ms"] = 1e3 * (running.processor() - before) / figures["answered"]
    figures["rate"] = figures["answered"] / figures["seconds"]
    warm = min(10, len(memory) // 2)
    figures["memory_warm"] = memory[warm]
    figures["memory_most"] = max(memory[warm:])
    figures["memory_end"] = memory[-1]
    return figures


def services(arguments, folder):
    """Ours, and the peer in each way in which its users run it."""
    model = ["--model", arguments.model] if arguments.model else []
    serve = [arguments.binary, "serve", "--port", "PORT", *model]
    ours = Service("fer-train serve", serve, query="?detect=false")
    onnx = folder / "model.onnx"
    export = [arguments.binary, "export", *model[1:], "--onnx", onnx]
    subprocess.run([str(word) for word in export], check=True, capture_output=True)
    peers = []
    for name, workers, threads, way in (("one process", 1, 2, "inline"), ("two processes", 2, 1, "inline"),
                                        ("a pool of threads", 1, 1, "pool")):
        command = [sys.executable, "-m", "uvicorn", "service:app", "--host", "127.0.0.1", "--port", "PORT",
                   "--workers", workers, "--log-level", "warning", "--no-access-log"]
        environment = {"ONNX": str(onnx), "THREADS": str(threads), "WAY": way}
        peers.append(Service(f"FastAPI, {name}", command, environment))
    return ours, peers


def agree(ours, theirs, name):
    [one], [other] = ours, theirs
    apart = max(abs(value - other["probabilities"][label]) for label, value in one["probabilities"].items())
    if one["expression"] != other["expression"] or apart > AGREEMENT:
        raise Failure(f"{name} says {theirs} and not {ours}")
    return apart


def measure(arguments, folder):
    ours, peers = services(arguments, folder)
    face = ROOT / "assets/face.png"
    with ours.start() as running:
        said = running.wait(face.read_bytes())
    rows = []
    for turn in range(arguments.rounds):
        everyone = [ours, *peers]
        # Whoever comes first in one round comes last in the next.
        for service in everyone if turn % 2 == 0 else reversed(everyone):
            with service.start() as running:
                apart = agree(said, running.wait(face.read_bytes()), service.name)
                figures = load(running, face, arguments.connections, arguments.seconds)
            rows.append({"service": service.name, "picture": "a face of 48×48", "apart": apart, **figures})
            tell(rows[-1])
    with Service(ours.name, ours.command).start() as running:
        portrait = ROOT / "assets/astronaut.jpg"
        running.wait(portrait.read_bytes())
        figures = load(running, portrait, min(PHOTOGRAPHS, arguments.connections), arguments.seconds)
        rows.append({"service": ours.name, "picture": PHOTOGRAPH, **figures})
        tell(rows[-1])
    return rows


def tell(row):
    print(f"{row['service']:28} {row['rate']:8.1f} a second", file=sys.stderr, flush=True)


def best(rows, chosen):
    found = [row for row in rows if chosen(row)]
    return sorted(found, key=lambda row: row["rate"])[len(found) // 2]


def verdicts(rows):
    """What was promised, and whether it was kept."""
    own = [row for row in rows if row["service"] == "fer-train serve"]
    faces = [row for row in own if row["picture"] == "a face of 48×48"]
    ours = best(faces, lambda _: True)
    names = {row["service"] for row in rows} - {"fer-train serve"}
    peer = max((best(rows, lambda row, name=name: row["service"] == name) for name in names),
               key=lambda row: row["rate"])
    ratio = ours["rate"] / peer["rate"]
    lost = sum(row["lost"] + row["refused"] for row in own)
    share = peer["processor_ms"] / ours["processor_ms"]
    print(f"an answer of {peer['service']} takes {share:.2f} times the processor time of ours")
    grown = max(row["memory_end"] / row["memory_warm"] for row in own)
    return {
        f"{ratio:.2f} times the throughput of {peer['service']} ({WANTED:g} wanted)": ratio >= WANTED,
        f"{lost} requests lost or refused": lost == 0,
        f"memory at the end over memory after ten seconds: {grown:.2f} at most": grown <= GROWTH,
    }


def table(rows):
    yield "| service | picture | answers a second | processor an answer | median | p99 | lost or refused | memory after 10 s, most, at the end |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        memory = ", ".join(f"{row[name] / 2**20:.0f}" for name in ("memory_warm", "memory_most", "memory_end"))
        yield (f"| {row['service']} | {row['picture']} | {row['rate']:.1f} | {row['processor_ms']:.2f} ms | {row['p50_ms']:.0f} ms | "
               f"{row['p99_ms']:.0f} ms | {row['lost'] + row['refused']} of {row['answered']:,} | {memory} MiB |")


def machine():
    names = re.findall(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    versions = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn", "onnxruntime", "pillow"))
    return (f"{len(names)} × {names[0]}; load average {os.getloadavg()[0]:.1f}; {wrk.split(' Copyright')[0]}; "
            f"Python {platform.python_version()}, {versions}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/debug/fer-train", help="the program")
    parser.add_argument("--model", type=Path, help="a model file [default: the built-in model]")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is loaded")
    parser.add_argument("--connections", type=int, default=200, help="requests in flight")
    parser.add_argument("--rounds", type=int, default=1, help="how often each has its turn")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    arguments = parser.parse_args()
    for name in ("binary", "model"):
        path = getattr(arguments, name)
        if path:
            setattr(arguments, name, path.resolve())
    if not shutil.which("wrk"):
        sys.exit("the load comes from wrk, which is missing: install it (on Debian: apt-get install wrk)")
    about = machine()
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(arguments, Path(folder))
    except Failure as failure:
        sys.exit(str(failure))
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")
    print(about, *table(rows), sep="\n")
    kept = verdicts(rows)
    for words, held in kept.items():
        print(f"{'kept  ' if held else 'MISSED'} {words}")
    sys.exit(0 if all(kept.values()) else 1)


if __name__ == "__main__":
    main()

"""Builds fer-train for CUDA with NVIDIA's compiler, and starts it where there is no GPU.

    python3 tests/cuda/link.py

It needs cargo, a C++ compiler and python3 with venv, and no GPU; the compiler and the libraries come from PyPI,
1.2 GB. Nothing runs on a GPU: that the program links, starts, refuses and falls back is all that is shown.
"""

import re
import subprocess
import sys
import tempfile
import time

import build
import pictures

# To train on, where nothing but that it trains is shown.
PICTURES = 64


def start(folder, libraries, *arguments):
    command = [build.PROGRAM, *arguments]
    return subprocess.run(command, cwd=folder, env=build.environment(*libraries), capture_output=True, text=True)


def say(name, text):
    print(f"{name:<22}{text}", flush=True)


def check(holds, done):
    if not holds:
        sys.exit(f"{' '.join(map(str, done.args))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")


def tell_build(names, seconds):
    compiler = build.run(build.HOME / "bin" / "nvcc", "--version", capture_output=True).stdout
    version = re.search(r"V[\d.]+", compiler).group()
    say("build", f"nvcc {version} for sm_80, {' '.join(build.FEATURES)}: {seconds:.0f} s")
    say("stub driver", f"{names} entry points, each answers {build.CUDA_ERROR_STUB_LIBRARY}")
    listed = build.run("readelf", "-d", build.PROGRAM, capture_output=True).stdout
    needed = re.findall(r"NEEDED.*\[(lib(?:cu|nv)[^]]*)\]", listed)
    say("needs", ", ".join(needed))


def explicit(folder, libraries):
    done = start(folder, libraries, "--device", "cuda", "--out", "explicit")
    check(done.returncode != 0 and "cuda:0" in done.stderr and "STUB_LIBRARY" in done.stderr, done)
    say("--device cuda", f"ends with {done.returncode}: {done.stderr.strip()}")


def automatic(folder, libraries):
    manifest = pictures.make(folder / "noise", PICTURES)
    done = start(folder, libraries, "--device", "auto", "--arch", "cnn", "--data", manifest, "--epochs", "1", "--out",
                 "automatic")
    lines = done.stdout.splitlines()
    trained = (folder / "automatic" / "model.safetensors").exists()
    check(done.returncode == 0 and trained and "cpu (cuda:0 does not answer" in lines[0], done)
    say("--device auto", lines[0])
    for line in lines:
        if line.startswith("epoch"):
            say("", line)


def not_started(folder, name, libraries, missing):
    """What the loader says, which the README explains."""
    done = start(folder, libraries, "--device", "cpu")
    check(done.returncode != 0 and f"{missing}: cannot open shared object file" in done.stderr, done)
    say(name, f"ends with {done.returncode}: {done.stderr.strip().removeprefix(f'{build.PROGRAM}: ')}")


def main():
    began = time.monotonic()
    names = build.build()
    tell_build(names, time.monotonic() - began)
    libraries = [build.STUB, build.LIBRARIES]
    with tempfile.TemporaryDirectory() as folder:
        folder = build.pathlib.Path(folder)
        explicit(folder, libraries)
        automatic(folder, libraries)
        not_started(folder, "no driver", [build.LIBRARIES], "libcuda.so.1")
        not_started(folder, "no driver, no toolkit", [], "libcuda.so.1")
        not_started(folder, "no toolkit", [build.STUB], "libcurand.so.10")


if __name__ == "__main__":
    main()

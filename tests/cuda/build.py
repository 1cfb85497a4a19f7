"""The CUDA build on a machine without CUDA: NVIDIA's compiler and libraries from PyPI, a stub for the driver."""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROOM = ROOT / "target" / "cuda-link"
HOME = ROOM / "toolkit" / "nvidia" / "cu13"
LIBRARIES = HOME / "lib"
STUB = ROOM / "stub"
PROGRAM = ROOM / "build" / "debug" / "fer-train"
FEATURES = ["-p", "fer-train", "--no-default-features", "--features", "cuda,cli"]
# What runs here runs for seconds, and no kernel runs: it is compiling that takes the time.
NVCC_FLAGS = "-Xcicc -O0 -Xptxas -O0"
PROFILE = ["--config", "profile.dev.opt-level=1", "--config", 'profile.dev.package."*".opt-level=0']
CUDA_ERROR_STUB_LIBRARY = 34


def environment(*libraries, **more):
    """What the program is started with: libraries are looked for in these folders first."""
    kept = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return {**kept, "LD_LIBRARY_PATH": ":".join(map(str, libraries)), **more}


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout or ''}{done.stderr or ''}")
    return done


def compile_library(source, library, *flags):
    library.parent.mkdir(parents=True, exist_ok=True)
    run("cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", library, source, *flags)


def entry_points():
    """The names that cudarc may ask the driver for."""
    asked = ["cargo", "metadata", "--format-version", "1", "--features", "fer-train/cuda"]
    packages = json.loads(run(*asked, capture_output=True).stdout)["packages"]
    manifest = next(pathlib.Path(one["manifest_path"]) for one in packages if one["name"] == "cudarc")
    bindings = (manifest.parent / "src/driver/sys/mod.rs").read_text()
    return sorted(set(re.findall(r"\bfn (cu[A-Z]\w+)", bindings)))


def make_stub():
    """A driver whose every answer is that it is none, as NVIDIA's own stub's; the linker needs one."""
    names = entry_points()
    source = STUB / "libcuda.c"
    STUB.mkdir(parents=True, exist_ok=True)
    source.write_text("".join(f"int {name}(void) {{ return {CUDA_ERROR_STUB_LIBRARY}; }}\n" for name in names))
    compile_library(source, STUB / "libcuda.so.1", "-w", "-Wl,-soname,libcuda.so.1")
    stubs = LIBRARIES / "stubs"
    stubs.mkdir(exist_ok=True)
    for_linker = stubs / "libcuda.so"
    for_linker.unlink(missing_ok=True)
    for_linker.symlink_to(STUB / "libcuda.so.1")
    return len(names)


def build():
    """Builds the program; gives back how many entry points the stub has."""
    run("sh", HERE / "install")
    names = make_stub()
    paths = {"PATH": f"{HOME / 'bin'}:{os.environ['PATH']}", "CUDA_HOME": str(HOME), "CUDA_PATH": str(HOME)}
    tools = {**os.environ, **paths, "CUDA_COMPUTE_CAP": "80", "NVCC_APPEND_FLAGS": NVCC_FLAGS}
    run("cargo", "build", "--target-dir", ROOM / "build", *PROFILE, *FEATURES, env=tools)
    return names

"""Where things are, and how each peer is started."""

import sys
from dataclasses import dataclass
from pathlib import Path

from worker import Worker

HERE = Path(__file__).parent

# Memory that was freed stays with the process and large blocks come from the heap: fresh pages cost
# PyTorch a good part of its time. glibc's own switches.
TUNED_ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
# How long a peer may take for one answer, in seconds; compiling takes the longest.
PATIENCE = 600


@dataclass
class Setting:
    """One call of the driver."""

    folder: Path
    release: Path
    tract: Path
    threads: int
    fer2013: Path | None
    png_folder: Path | None
    preload: Path | None

    @property
    def exchange(self):
        """What the workers share."""
        return self.folder / "exchange"

    @property
    def examples(self):
        return self.release / "examples"

    @property
    def fer_train(self):
        return self.release / "fer-train"

    def environment(self, threads):
        """As many threads for everyone who asks the environment."""
        count = str(threads)
        return {
            "RAYON_NUM_THREADS": count,
            "OMP_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "torch-compiled"),
        }

    def tuned(self):
        """The allocator for PyTorch at its best: a preloaded one, or glibc's switches."""
        return {"LD_PRELOAD": str(self.preload)} if self.preload else TUNED_ALLOCATOR

    def start(self, name):
        """The worker of this name."""
        ours, python = self.examples / "peer", lambda file: [sys.executable, HERE / file]
        threads, extra = self.threads, {}
        if name == "fer":
            command = [ours, self.exchange, "fer"]
        elif name == "fer-one-thread":
            command, threads = [ours, self.exchange, "fer"], 1
        elif name == "candle":
            command = [ours, self.exchange, "candle"]
        elif name == "tract":
            command = [self.tract, self.exchange, str(threads)]
        elif name == "onnxruntime":
            command = [*python("onnxruntime_worker.py"), self.exchange, str(threads)]
        elif name.startswith("keras"):
            mode = "xla" if name == "keras-xla" else "plain"
            command = [*python("keras_worker.py"), self.exchange, str(threads), mode]
        else:
            mode = name.partition("-")[2] or "installed"
            extra = {} if mode == "installed" else self.tuned()
            command = [*python("pytorch_worker.py"), self.exchange, str(threads), mode]
        log = self.folder / f"{name}.log"
        return Worker(name, command, self.environment(threads) | extra, log, PATIENCE)

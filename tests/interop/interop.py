"""Every agreement between fer and other programs: python interop.py INTEROP [--write]

INTEROP is the program that `cargo build --example interop` makes. It leaves networks, drawn faces and
fer's answers in a folder; ONNX's checker and onnxruntime, PyTorch and Keras then say what they make of
them. Prints a table with every program's version and the greatest difference of a logit, and exits with 1
where one is above 1e-4, a class is another one, or a change is not noticed. --write stores what the tests
without PyTorch and Keras compare with, in tests/oracle/interop.json.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXAMPLES = ROOT / "crates/fer-model/examples/python"
ORACLE = HERE.parent / "oracle/interop.json"
# Pictures whose logits are stored.
STORED = 24


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("interop", type=Path, help="the Rust side")
    parser.add_argument("--write", action="store_true", help="store the numbers that the tests compare with")
    arguments = parser.parse_args()
    interop = str(arguments.interop.resolve())
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([interop, "make", folder], check=True)
        described = Path(folder) / "described.json"
        answers = [
            asked("onnx_agreement.py", folder),
            asked("pytorch_agreement.py", folder, EXAMPLES),
            asked("keras_agreement.py", folder, EXAMPLES, interop, "--description", described),
        ]
        print_table(answers)
        faults = [fault for answer in answers for fault in answer["faults"]]
        for fault in faults:
            print(f"error: {fault}", file=sys.stderr)
        if faults:
            return 1
        if arguments.write:
            write(folder, json.loads(described.read_text()), answers)
    return 0


def asked(script, *words):
    """What a script found, with how long it took."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, str(HERE / script), *map(str, words)], capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        answer = {"versions": {}, "rows": [], "faults": [f"{script}: {done.stderr.strip()}"]}
    return answer | {"seconds": time.monotonic() - start}


def print_table(answers):
    versions = {name: version for answer in answers for name, version in answer["versions"].items()}
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    print()
    print(f"{'asked':<30} {'network':<34} {'pictures':>8} {'greatest difference':>20} {'other classes':>14}")
    for answer in answers:
        for row in answer["rows"]:
            difference = f"{row['difference']:.1e}" + ("" if row["agrees"] else " !")
            print(f"{row['what']:<30} {row['network']:<34} {row['pictures']:>8} {difference:>20} {row['other_classes']:>14}")
    changes = sum(row.get("changes", 0) for answer in answers for row in answer["rows"])
    refused = sum(answer.get("refused", 0) for answer in answers)
    print()
    print(f"{changes} changes of ONNX graphs noticed, {refused} Keras networks of another kind refused by name; "
          + ", ".join(f"{answer['seconds']:.0f} s" for answer in answers))


def write(folder, description, answers):
    """Logits of the built-in model, and what a Keras network became."""
    stored = subprocess.run([sys.executable, str(HERE / "stored.py"), folder, str(EXAMPLES), str(STORED)],
                            capture_output=True, text=True, check=True)
    model = hashlib.sha256((ROOT / "assets/fer.safetensors").read_bytes()).hexdigest()
    versions = {name: version for answer in answers for name, version in answer["versions"].items()}
    ORACLE.write_text(json.dumps({
        "versions": {"python": platform.python_version()} | versions,
        "built_in": {"sha256": model} | json.loads(stored.stdout),
        "keras": description,
    }, indent=1) + "\n")
    print(f"wrote {ORACLE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())

"""Runs the same networks, weights and pictures through `fer` and its peers, interleaved, and prints
how many times faster it is. `just peers` makes what this needs and calls it.

Everyone gets as many threads as --threads says. The peers must first agree on logits and losses
(agreement.py); then each row is measured in rounds, one peer after the other, the rest stopped.
"""

import argparse
import fnmatch
import sys
from pathlib import Path

import agreement
import measure
import networks
import process
import report
import rows as table
from setting import Setting
from worker import PeerError

# Drawn faces that the workers go through, batch by batch.
FACES = 1024
PREPARER = "pytorch"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every row [default: 5]")
    parser.add_argument("--rows", metavar="PATTERN", nargs="+",
                        help="rows to measure, as `train/cnn/*` [default: all]; --list names them")
    parser.add_argument("--without", metavar="PEER", nargs="+", default=[], help="workers to leave out")
    parser.add_argument("--quick", action="store_true", help="two rounds of a few rows: do the scripts still run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
    parser.add_argument("--fer2013", type=Path, metavar="CSV", help="fer2013.csv, for the rows about it")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="a folder of PNG files, a folder a class")
    parser.add_argument("--threads", type=int, default=2, help="threads of every peer [default: 2]")
    parser.add_argument("--preload", type=Path, metavar="LIBRARY",
                        help="allocator for PyTorch at its best [default: glibc's, tuned]")
    parser.add_argument("--release", type=Path, default=Path("target/release"), help="where fer's programs are")
    parser.add_argument("--tract", type=Path, default=Path("target/peers/tract/release/fer-peer-tract"))
    parser.add_argument("--work", type=Path, default=Path("target/peers/work"), help="scratch folder")
    parser.add_argument("--list", action="store_true", help="name the rows and leave")
    return parser.parse_args()


def chosen(options):
    """(rows to measure, [(row, why it is not measured)])."""
    patterns = options.rows or (table.QUICK if options.quick else ["*"])
    matching = [row for row in table.all_rows() if any(fnmatch.fnmatch(row.key, each) for each in patterns)]
    left_out, kept = [], []
    for row in matching:
        if row.key in ("memory", "read/fer2013") and options.fer2013 is None:
            left_out.append((row.key, "needs --fer2013 CSV"))
        elif row.key == "read/folder" and options.folder is None:
            left_out.append((row.key, "needs --folder DIR"))
        else:
            kept.append(row)
    return kept, left_out


class Session:
    """The workers that have been started."""

    def __init__(self, setting, without):
        self.setting, self.without, self.workers = setting, without, {}

    def worker(self, name):
        if name not in self.workers:
            self.workers[name] = self.setting.start(name)
        return self.workers[name]

    def taking_part(self, row):
        return [name for name in row.workers() if name not in self.without]

    def prepare(self, rows):
        """Writes what the workers share: faces, weights, ONNX files, the model for `predict`."""
        names = {row.question["network"] for row in rows if row.question}
        names |= {"cnn"}
        self.setting.exchange.mkdir(parents=True, exist_ok=True)
        networks.write(self.setting.exchange / "networks.json", sorted(names))
        self.worker("fer").ask("faces", count=FACES)
        for name in sorted(names):
            self.worker(PREPARER).ask("weights", network=name)
        for name in sorted({row.question["network"] for row in rows if row.work == "infer"}):
            self.worker(PREPARER).ask("export", network=name)
        if any(row.key == "first" for row in rows):
            self.worker("fer").ask("model", network="cnn")
            self.worker(PREPARER).ask("model", network="cnn")

    def check(self, rows):
        """Whether all who measure a network agree on it. Raises PeerError."""
        taking_part = {}
        for row in rows:
            if row.question:
                found = taking_part.setdefault(row.question["network"], {PREPARER, "fer"})
                found |= set(self.taking_part(row))
        wrong = []
        for network, names in sorted(taking_part.items()):
            say(f"do they agree on {network}? {', '.join(sorted(names))}")
            wrong += agreement.disagreement(network, {name: self.worker(name) for name in sorted(names)})
        if wrong:
            raise PeerError("the peers disagree, nothing is measured:\n" + "\n".join(wrong))

    def measure(self, row, count):
        """{worker: one number a round}."""
        if row.work == "process":
            found = process.ROWS[row.key](self.setting)
            return measure.rounds({name: found[name] for name in self.taking_part(row)}, count)
        names = self.taking_part(row)
        return measure.rounds({name: measure.participant(self.worker(name), row) for name in names}, count)

    def end(self):
        for worker in self.workers.values():
            worker.end()


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    options = arguments()
    if options.list:
        print("\n".join(row.key for row in table.all_rows()))
        return
    rows, left_out = chosen(options)
    if not rows and not left_out:
        sys.exit(f"no row matches {' '.join(options.rows)}; --list names them")
    unknown = set(options.without) - {name for row in table.all_rows() for name in row.workers()[1:]}
    if unknown:
        sys.exit(f"no peer is named {', '.join(sorted(unknown))}")
    setting = Setting(
        options.work.resolve(), options.release.resolve(), options.tract.resolve(),
        options.threads, options.fer2013, options.folder, options.preload,
    )
    session, results = Session(setting, options.without), []
    try:
        session.prepare(rows)
        session.check(rows)
        for row in rows:
            say(row.title)
            results.append((row, session.measure(row, 2 if options.quick else options.rounds)))
    except PeerError as error:
        sys.exit(str(error))
    finally:
        session.end()
    for name, worker in session.workers.items():
        left_out += [(name, f"{end} and was started again") for end in worker.ends]
    for name in options.without:
        left_out.append((name, "left out by --without"))
    print(report.table(results, left_out))
    if options.json:
        options.json.write_text(report.as_json(results, left_out, options.threads))


if __name__ == "__main__":
    main()

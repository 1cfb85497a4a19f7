"""Which part of the program asked: stacks of addresses become functions of our sources."""

import functools
import pathlib
import re
import subprocess

# Of file and function; a stack is of the first that a frame of it has, the outermost frame first.
PARTS = {
    r"fit/optimiser\.rs": "optimiser",
    r"fit/average\.rs": "average of the weights",
    r"fit/(gradient|reduction)\.rs": "gradients",
    r"fit/step\.rs log_probabilities": "figures",
    r"src/input\.rs": "batch",
    r"tape/mod\.rs backward": "way back",
    r"tape/mod\.rs forward": "way forward",
    r"ops/loss/": "loss",
}


class Stacks:
    """Places in our sources for the addresses of a program."""

    def __init__(self, program, root, addresses):
        self.root = pathlib.Path(root)
        # A stack has the addresses that calls return to, one behind the call.
        asked = "".join(f"{address - 1:#x}\n" for address in sorted(addresses))
        command = ["addr2line", "-a", "-i", "-e", str(program)]
        listed = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
        self.frames = {}
        for block in re.split(r"^(?=0x[0-9a-f]+$)", listed, flags=re.M)[1:]:
            address, *places = block.splitlines()
            self.frames[int(address, 16) + 1] = [ours for place in places if (ours := self.ours(place))]

    def ours(self, place):
        """File, line and function of a place in our sources; None for others."""
        found = re.match(rf"{re.escape(str(self.root))}/(crates/\S+):(\d+)", place)
        if not found:
            return None
        file, line = found.group(1), int(found.group(2))
        return file, line, self.function(file, line)

    @functools.cache
    def function(self, file, line):
        """The last function that begins above a line: an inlined one has no symbol of its own."""
        above = (self.root / file).read_text().splitlines()[:line]
        return next((found.group(1) for text in reversed(above) if (found := re.search(r"\bfn (\w+)", text))), "?")

    def named(self, stack):
        return [place for address in stack for place in self.frames[address]]

    def site(self, stack):
        """The innermost function of ours, and the line it was at."""
        file, line, function = next(iter(self.named(stack)), ("?", 0, "?"))
        return f"{re.sub(r'^crates/[^/]+/src/', '', file)} {function}", f"{file}:{line}"

    def part(self, stack):
        """The part of a training step."""
        for file, _, function in reversed(self.named(stack)):
            for pattern, part in PARTS.items():
                if re.search(pattern, f"{file} {function}"):
                    return part
        return "other"

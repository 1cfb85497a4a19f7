"""Which part of the program asked: stacks of addresses become names and places in our sources."""

import re
import subprocess

OURS = re.compile(r"fer_(?:data|model|train)::[\w:]+")
HASH = re.compile(r"::h[0-9a-f]{16}$")
# The first that a frame of the stack has, the outermost frame first.
PARTS = {
    "fit::optimiser": "optimiser",
    "fit::average": "average of the weights",
    "fit::gradient": "gradients",
    "input::batch_to_tensors": "batch",
    "log_probabilities": "figures",
    "::backward": "way back",
    "ops::loss": "loss",
    "::forward": "way forward",
}


class Stacks:
    """Names for the addresses of a program."""

    def __init__(self, program, root, addresses):
        self.root = f"{root}/"
        # A stack has the addresses that calls return to, one behind the call.
        asked = "".join(f"{address - 1:#x}\n" for address in sorted(addresses))
        command = ["addr2line", "-a", "-f", "-C", "-i", "-e", program]
        listed = subprocess.run(list(map(str, command)), input=asked, capture_output=True, text=True, check=True)
        self.frames = {}
        for block in re.split(r"^(?=0x[0-9a-f]+$)", listed.stdout, flags=re.M)[1:]:
            address, *lines = block.splitlines()
            self.frames[int(address, 16) + 1] = list(zip(lines[::2], lines[1::2]))

    def named(self, stack):
        """Functions with their places, the innermost first."""
        return [frame for address in stack for frame in self.frames[address]]

    def site(self, stack):
        """The innermost function of ours, with its line."""
        for function, place in self.named(stack):
            name = OURS.search(HASH.sub("", function))
            if name:
                line = re.sub(r" \(discriminator \d+\)$", "", place).removeprefix(self.root)
                return name.group(), line
        return "?", "?"

    def part(self, stack):
        """The part of a training step."""
        for function, _ in reversed(self.named(stack)):
            for word, part in PARTS.items():
                if word in function:
                    return part
        return "other"

"""The counts of a step as tables in Markdown."""

import collections
import re

# A kernel is of the first group whose pattern its name begins with.
GROUPS = {
    "copies, fills": r"ucopy|copy2d|const_set",
    "unary": r"u",
    "binary": r"b(add|sub|mul|div|minimum|maximum)",
    "affine": r"affine",
    "compare, where": r"(eq|ne|lt|le|gt|ge|where)_",
    "reductions": r"(fast_|small_)?(sum|max|min|argmax|argmin|softmax)_|reduce",
    "convolution, pools": r"im2col|col2im|conv|max_pool|avg_pool",
    "casts": r"cast",
    "indexing": r"(is|gather|ia|sa|s)_",
    "others": r"",
}


def group(name):
    return next(group for group, pattern in GROUPS.items() if re.match(pattern, name))


def number(value):
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def size(value):
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if value >= scale:
            return f"{value / scale:,.1f} {unit}"
    return f"{number(value)} B"


def table(headings, rows):
    """The first column is text, the others are numbers."""
    print(f"| {' | '.join(headings)} |")
    print(f"|---{'|--:' * (len(headings) - 1)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def times(rows, kind):
    return sum(row["times"] for row in rows if row["kind"] == kind)


def with_bytes(rows, kind):
    return f"{number(times(rows, kind))}, {size(sum(row['bytes'] for row in rows if row['kind'] == kind))}"


def summary(networks):
    headings = ["network", "kernels", "of buffers", "gemm", "memsets", "copies on the device", "allocations",
                "host → device", "device → host", "synchronisations"]
    rows = []
    for network, found in networks.items():
        buffers = size(sum(row["bytes"] for row in found if row["kind"] == "kernel"))
        counted = [with_bytes(found, kind) for kind in ("memset", "device to device", "allocation", "host to device",
                                                        "device to host")]
        rows.append([f"`{network}`", number(times(found, "kernel")), buffers, number(times(found, "gemm")), *counted,
                     number(times(found, "synchronisation"))])
    table(headings, rows)


def totals(rows, key, value="times"):
    counted = collections.Counter()
    for row in rows:
        counted[key(row)] += row[value]
    return counted


def across(networks, heading, key, kinds):
    """One line for each key, one column for each network: how often, and how many bytes."""
    chosen = {network: [row for row in rows if row["kind"] in kinds] for network, rows in networks.items()}
    counted = {network: totals(rows, key) for network, rows in chosen.items()}
    moved = {network: totals(rows, key, "bytes") for network, rows in chosen.items()}
    keys = sorted(set().union(*counted.values()), key=lambda one: -sum(all[one] for all in counted.values()))
    rows = [[one, *(f"{number(counted[network][one])}, {size(moved[network][one])}" if counted[network][one] else "0"
                    for network in networks)] for one in keys]
    table([heading, *(f"`{network}`" for network in networks)], rows)


def print_all(networks):
    print("### What a step asks for\n")
    summary(networks)
    print("### Kernels and products of matrices by kind, with the bytes of their buffers\n")
    launched = {"kernel", "gemm"}
    across(networks, "kind", lambda row: group(row["name"]) if row["kind"] == "kernel" else "gemm", launched)
    print("### The same by part of the step\n")
    across(networks, "part", lambda row: row["part"], launched)
    print("### The same by function\n")
    across(networks, "function", lambda row: f"`{row['site']}`, {row['part']}", launched)
    print("### The same by kernel\n")
    across(networks, "kernel", kernel, launched)
    print("### The way back by kernel\n")
    way_back = {network: [row for row in rows if row["part"] == "way back"] for network, rows in networks.items()}
    across(way_back, "kernel", kernel, launched | {"memset"})
    print("### What is read back from the device, and what waits for it\n")
    across(networks, "from", waiting, {"device to host", "synchronisation"})
    print("### What is sent to the device\n")
    across(networks, "from", lambda row: f"`{row['site']}`, {row['part']}", {"host to device"})


def kernel(row):
    return f"`{row['name']}`" if row["name"] else row["kind"]


def waiting(row):
    line = row["line"].split(":")[1]
    return f"`{row['site']}`, line {line}: {row['name'] or row['kind']}"

"""What is measured, against whom, and how many times faster `fer` is wanted to be."""

from dataclasses import dataclass, field

# A name in the table -> the workers whose best it is.
GROUPS = {
    "PyTorch as installed": ["pytorch"],
    "PyTorch at its best": ["pytorch", "pytorch-tuned", "pytorch-compiled"],
    "Keras": ["keras", "keras-xla"],
    "onnxruntime": ["onnxruntime"],
    "tract": ["tract"],
    "candle 0.11.1": ["candle"],
    "fer on one thread": ["fer-one-thread"],
    "pandas and numpy": ["reading"],
    "OpenCV on two processes": ["reading"],
    "PyTorch's same run": ["pytorch-process"],
}
RANDOM_NETWORKS = [f"random{number}" for number in range(1, 6)]
TRAINERS = ["PyTorch at its best", "PyTorch as installed", "Keras"]
PREDICTORS = ["onnxruntime", "PyTorch at its best", "PyTorch as installed", "Keras", "tract"]


@dataclass
class Row:
    """One thing to measure: `wanted` maps a group to the wanted ratio, None where none is set."""

    key: str
    title: str
    work: str
    wanted: dict
    question: dict = field(default_factory=dict)
    unit: str = "seconds"

    def workers(self):
        """Everyone who takes part, ourselves first."""
        names = ["fer-process" if self.work == "process" else "fer"]
        for group in self.wanted:
            names += [name for name in GROUPS[group] if name not in names]
        return names


def train(network, batch, wanted, others=TRAINERS):
    title = f"`{network}`, training step, batch {batch}"
    question = {"network": network, "batch": batch}
    return Row(f"train/{network}/{batch}", title, "train", wanted | rest(wanted, others), question)


def infer(network, batch, wanted):
    title = f"`{network}`, inference, batch {batch}"
    question = {"network": network, "batch": batch}
    return Row(f"infer/{network}/{batch}", title, "infer", wanted | rest(wanted, PREDICTORS), question)


def rest(wanted, groups):
    return {group: None for group in groups if group not in wanted}


def all_rows():
    cnn = {"PyTorch at its best": 2.5, "Keras": 2.5, "candle 0.11.1": 30}
    vgg = {"PyTorch at its best": 1.6}
    scaling = {"fer on one thread": 1.8}
    rows = [
        train("cnn", 32, cnn),
        train("cnn", 128, cnn | scaling),
        infer("cnn", 1, {"onnxruntime": 1.0}),
        infer("cnn", 32, {"onnxruntime": 1.1}),
        infer("cnn", 256, {"onnxruntime": 1.3}),
        infer("vgg", 1, {"onnxruntime": 1.0}),
        infer("vgg", 32, {"onnxruntime": 1.6}),
        infer("vgg", 256, {"onnxruntime": 1.6}),
        train("vgg", 32, vgg),
        train("vgg", 128, vgg | scaling),
        train("resnet", 32, {"PyTorch at its best": 1.4}, ["PyTorch as installed"]),
    ]
    rows += [train(name, 32, {"PyTorch as installed": 1.0}, []) for name in RANDOM_NETWORKS]
    return rows + [
        Row("read/fer2013", "reading fer2013.csv into arrays", "process", {"pandas and numpy": 5}),
        Row("read/folder", "decoding a folder of PNG files", "process",
            {"OpenCV on two processes": 1.5}),
        Row("memory", "peak memory of a training run on FER2013", "process",
            {"PyTorch's same run": 2}, unit="bytes"),
        Row("first", "from start of the process to the first prediction", "process",
            {"PyTorch's same run": 10}),
    ]


# What --quick measures: every worker once, in seconds.
QUICK = ["train/cnn/32", "infer/vgg/1", "train/random1/32", "read/*", "memory", "first"]

"""Trains the network of a fer configuration in PyTorch, as fer trains it.

    python pytorch.py CONFIG --data fer2013.csv --ferplus fer2013new.csv --mode plain|best

CONFIG is a recipe (crates/fer-train/src/recipe) or the config.toml of a run, which names its data
itself. The pictures are drawn by torch and numpy, so runs agree with fer's in their figures and not
in their bits. The last line is JSON. With torch 2.15.0, numpy 2.4.6, safetensors 0.8.0.
"""

import argparse
import copy
import json
import math
import os
import platform
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

import pytorch_augmentation as augmentation
import pytorch_data
from pytorch_vgg import Vgg

sys.path.append(str(Path(__file__).resolve().parent.parent / "peers"))
from setting import TUNED_ALLOCATOR  # noqa: E402

# What a configuration may say, with fer's defaults; None stands for nothing.
KNOWN = {
    "data": {
        "path": None, "ferplus": None, "ferplus_target": "majority", "dedup": False,
        "split": {"seed": 0, "validation_fraction": None},
    },
    "model": {"arch": None, "width": 32, "dropout": 0.4, "squeeze": 0},
    "training": {
        "epochs": 10, "least_steps": 0, "batch_size": 32, "learning_rate": 1e-3, "seed": 0,
        "schedule": {"kind": "constant", "warmup": 0.1, "last": 0.0},
        "averaging": None,
        "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "form": "keras", "weight_decay": 0.0},
        "loss": {"label_smoothing": 0.0},
        "augmentation": augmentation.NONE,
    },
    "output": {},
}
# What changes no figure of the last epoch's weights.
INDIFFERENT = {
    "checkpoint", "calibration", "output.weights", "data.resize", "data.strict", "data.layout", "training.monitor",
    "training.min_delta", "training.divergence", "training.sgd",
}
# What is not done here, with the values that ask for nothing.
ABSENT = {
    "training.optimiser": "adam", "training.accumulate": 1,
    "training.loss.logit_adjustment": 0, "training.loss.class_weights": "none",
    "training.sampling.balanced": 0, "output.views": "one",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="a recipe or the config.toml of a run")
    parser.add_argument("--data", help="fer2013.csv [what CONFIG says]")
    parser.add_argument("--ferplus", help="fer2013new.csv [what CONFIG says]")
    parser.add_argument("--validation-fraction", type=float, help="share of Training that validates [what CONFIG says]")
    parser.add_argument("--division", type=Path, metavar="PICTURES_CSV",
                        help="divide as this checkpoints/pictures.csv of a run of fer says [a draw of our own]")
    parser.add_argument("--mode", choices=["plain", "best"], required=True,
                        help="plain: as installed; best: channels_last, fused AdamW, tuned allocator")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network for training")
    parser.add_argument("--preload", type=Path, metavar="LIBRARY", help="allocator for best [glibc's, tuned]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="epochs of the schedule [what CONFIG says]")
    parser.add_argument("--epochs-to-time", type=float, metavar="N",
                        help="stop after N epochs of the schedule, which may be a part of one")
    parser.add_argument("--seed", type=int, help="of weights, dropout, order and changes [what CONFIG says]")
    parser.add_argument("--weights", type=Path, metavar="MODEL", help="begin with the weights of this model of fer")
    return parser.parse_args()


def settle(found, known, path=""):
    """`known` with the values of `found`; stops at a key that is neither known nor indifferent."""
    settled = copy.deepcopy(known)
    for key, value in found.items():
        name = f"{path}{key}"
        if name in INDIFFERENT or (name in ABSENT and value == ABSENT[name]):
            continue
        if isinstance(value, dict) and (isinstance(known.get(key), dict) or name == "training.sampling"):
            settled[key] = settle(value, known.get(key, {}), f"{name}.")
        elif key in known:
            settled[key] = value
        else:
            sys.exit(f"{name} = {value} is not done here")
    return settled


def configuration(options):
    """The settings of CONFIG with what the command line says in their place."""
    config = settle(tomllib.loads(options.config.read_text()), KNOWN)
    data, training = config["data"], config["training"]
    data["path"], data["ferplus"] = options.data or data["path"], options.ferplus or data["ferplus"]
    if options.validation_fraction is not None:
        data["split"] = data["split"] | {"validation_fraction": options.validation_fraction}
    if options.epochs:
        training["epochs"], training["least_steps"] = options.epochs, 0
    training["seed"] = training["seed"] if options.seed is None else options.seed
    if data["path"] is None:
        sys.exit(f"{options.config} names no data; say --data and, for votes, --ferplus")
    if data["split"]["validation_fraction"] is None:
        sys.exit("say --validation-fraction, 0 to train on all of Training; PublicTest is the test split")
    if training["adam"]["form"] != "pytorch" or training["schedule"]["kind"] not in ("cosine", "constant"):
        sys.exit("Adam is done in PyTorch's form, and the schedules cosine and constant")
    return config


def build(config, classes, options):
    """The network with its initial weights."""
    model = Vgg(config["model"], classes)
    if options.weights:
        kept = {name: tensor.float() for name, tensor in load_file(options.weights).items()}
        counters = {name: tensor for name, tensor in model.state_dict().items() if name.endswith("num_batches_tracked")}
        model.load_state_dict(kept | counters)
    return model.to(memory_format=torch.channels_last) if options.mode == "best" else model


class Average:
    """The moving average of weights and running statistics."""

    def __init__(self, model, decay):
        self.model, self.decay, self.steps = copy.deepcopy(model), decay, 0
        self.pairs = [self.floats(self.model), self.floats(model)]

    @staticmethod
    def floats(model):
        return [tensor.detach() for tensor in model.state_dict().values() if tensor.is_floating_point()]

    def update(self):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(*self.pairs, 1 - decay)


def adam(model, settings, fused):
    """AdamW that lets only the tensors of two and more dimensions decay."""
    decaying = [tensor for tensor in model.parameters() if tensor.dim() >= 2]
    others = [tensor for tensor in model.parameters() if tensor.dim() < 2]
    groups = [{"params": decaying, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    betas = (settings["beta1"], settings["beta2"])
    return torch.optim.AdamW(groups, betas=betas, eps=settings["epsilon"], fused=True if fused else None)


def factor(schedule, step, steps):
    """What the highest learning rate is multiplied by at `step`, from 0, of `steps`."""
    if schedule["kind"] == "constant":
        return 1.0
    rising = int(schedule["warmup"] * steps + 0.5)
    if step < rising:
        return (step + 1) / rising
    falling = steps - rising - 1
    share = min((step - rising) / falling, 1.0) if falling > 0 else 1.0
    return schedule["last"] + (1 - schedule["last"]) * (1 + math.cos(math.pi * share)) / 2


class Training:
    """A run: the network, its optimiser, its average, and where the time went."""

    def __init__(self, config, data, options):
        self.settings, self.data = config["training"], data.train
        self.pictures = torch.from_numpy(data.train.pictures)[:, None]
        self.targets = torch.from_numpy(data.train.targets)
        self.batches = math.ceil(len(data.train) / self.settings["batch_size"])
        self.settings["epochs"] = max(self.settings["epochs"], math.ceil(self.settings["least_steps"] / self.batches))
        self.model = build(config, len(data.classes), options)
        self.forward = torch.compile(self.model, dynamic=False) if options.compile else self.model
        self.adam = adam(self.model, self.settings["adam"], options.mode == "best")
        averaging = self.settings["averaging"]
        self.average = None if averaging is None else Average(self.model, averaging.get("decay", 0.999))
        self.step, self.seconds = 0, {"batches": 0.0, "training": 0.0}

    @property
    def judged(self):
        """The network whose figures count."""
        return self.average.model if self.average else self.model

    def batch(self, places):
        """Pictures (n, 1, 48, 48) and targets (n, classes)."""
        pictures, targets = self.pictures[places].float() / 255, self.targets[places]
        return augmentation.augment(pictures, self.settings["augmentation"]), targets

    def epoch(self, last_step):
        """Trains to the end of an epoch or to `last_step`; the mean loss of its pictures."""
        self.model.train()
        losses = []
        for places in torch.randperm(len(self.data)).split(self.settings["batch_size"]):
            if self.step >= last_step:
                break
            start = time.perf_counter()
            pictures, targets = self.batch(places)
            made = time.perf_counter()
            losses += [self.train(pictures, targets)] * len(places)
            self.seconds["batches"] += made - start
            self.seconds["training"] += time.perf_counter() - made
        return float(np.mean(losses)) if losses else None

    def train(self, pictures, targets):
        """One step; its loss."""
        rate = self.settings["learning_rate"]
        rate *= factor(self.settings["schedule"], self.step, self.settings["epochs"] * self.batches)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.zero_grad()
        logits = self.forward(pictures)
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.settings["loss"]["label_smoothing"])
        loss.backward()
        self.adam.step()
        if self.average:
            self.average.update()
        self.step += 1
        return loss.item()


def logits_of(model, part):
    """The network's logits (n, classes) in float64."""
    model.eval()
    with torch.inference_mode():
        batches = torch.from_numpy(part.pictures)[:, None].split(256)
        return torch.cat([model(batch.float() / 255) for batch in batches]).double()


def temperature(logits, labels):
    """The temperature of 0.1 to 10 with the least loss on these."""
    candidates = torch.logspace(-1, 1, 2001, dtype=torch.float64)
    losses = [functional.cross_entropy(logits / candidate, labels) for candidate in candidates]
    return candidates[int(torch.stack(losses).argmin())].item()


def figures(logits, labels, heat=1.0):
    """Accuracy, macro F1, and the calibration error over fifteen bins before and after temperature `heat`."""
    predicted = logits.argmax(1)
    right = (predicted == labels).double()
    scores = []
    for label in range(logits.shape[1]):
        truth, claim = labels == label, predicted == label
        if truth.any() or claim.any():
            scores.append(2 * (truth & claim).sum().item() / (truth.sum() + claim.sum()).item())

    def calibration_error(logits):
        claimed = logits.softmax(1).amax(1)
        bins = (claimed * 15).ceil().clamp(1, 15).long() - 1
        return torch.zeros(15).double().index_add(0, bins, right - claimed).abs().sum().item() / len(labels)

    return {
        "n": len(labels), "right": int(right.sum()), "accuracy": right.mean().item(), "macro_f1": float(np.mean(scores)),
        "loss": functional.cross_entropy(logits, labels).item(), "ece": calibration_error(logits),
        "temperature": heat, "ece_after_temperature": calibration_error(logits / heat),
    }


def run(options, config, data):
    """Trains and judges; what the last line says."""
    torch.manual_seed(config["training"]["seed"])
    training = Training(config, data, options)
    epochs = training.settings["epochs"]
    stop = epochs if options.epochs_to_time is None else min(options.epochs_to_time, epochs)
    last_step = round(stop * training.batches)
    labels, judging, history = torch.from_numpy(data.validation.labels), 0.0, []
    for epoch in range(math.ceil(stop)):
        loss = training.epoch(last_step)
        start = time.perf_counter()
        validation = figures(logits_of(training.judged, data.validation), labels) if len(labels) else {}
        judging += time.perf_counter() - start
        history.append({"train_loss": loss, "validation_accuracy": validation.get("accuracy")})
        print(f"epoch {epoch + 1}/{epochs}", json.dumps(history[-1] | training.seconds), file=sys.stderr, flush=True)
    heat = temperature(logits_of(training.judged, data.validation), labels) if len(labels) else 1.0
    test = figures(logits_of(training.judged, data.test), torch.from_numpy(data.test.labels), heat)
    done = max(training.step / training.batches, 1e-9)
    return {
        "config": options.config.name, "model": config["model"], "mode": options.mode, "compile": options.compile,
        "threads": options.threads, "seed": training.settings["seed"], "steps": training.step, "epochs": epochs,
        "pictures": {name: len(getattr(data, name)) for name in ["train", "validation", "test"]},
        "parameters": sum(tensor.numel() for tensor in training.model.parameters()),
        "seconds_an_epoch": {name: seconds / done for name, seconds in training.seconds.items()} | {"judging": judging / max(len(history), 1)},
        "seconds": sum(training.seconds.values()) + judging, "history": history, "PublicTest": test,
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }


def restart_with(environment):
    """Starts this program again where the environment is another: allocator and threads read it at the start."""
    if any(os.environ.get(name) != value for name, value in environment.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | environment)


def main():
    options = arguments()
    environment = {"OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads)}
    if options.mode == "best":
        environment |= {"LD_PRELOAD": str(options.preload)} if options.preload else TUNED_ALLOCATOR
    restart_with(environment)
    torch.set_num_threads(options.threads)
    config = configuration(options)
    data = pytorch_data.read(config["data"], options.division)
    print(json.dumps(run(options, config, data)))


if __name__ == "__main__":
    main()

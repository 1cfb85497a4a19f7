"""Compares variants of a recipe in PyTorch on one GPU, each on several tenths of Training.

    python pytorch_variants.py RECIPE --data fer2013.csv --ferplus fer2013new.csv --out DIR

A fold is a tenth that validates, drawn by numpy, and the seed of all else. A step, its batch and its changes included, is
one CUDA graph, so that a run of `ferplus` is a minute or two where several share a card; without a GPU it runs on the
CPU, step by step. Pictures that do not fill a batch sit an epoch out. Each run adds a line of JSON to DIR/results.jsonl;
runs of the same settings that are there are not repeated. PublicTest is judged for the recipe itself and chooses nothing.
With flips means here the mean of both probabilities, where fer takes that of both logits.
"""

import argparse
import copy
import hashlib
import json
import multiprocessing
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import pytorch_augmentation as augmentation
import pytorch_data
from pytorch import KNOWN, Average, factor, figures, settle
from pytorch_vgg import Vgg

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# What differs from the recipe; mixup is of this program alone.
VARIANTS = {
    "recipe": {},
    "mixup": {"mixup": 0.2},
    "mixup and squeeze": {"squeeze": 8, "mixup": 0.2},
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path, help="such as crates/fer-train/src/recipe/ferplus.toml")
    parser.add_argument("--data", required=True, help="fer2013.csv")
    parser.add_argument("--ferplus", required=True, help="fer2013new.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--workers", type=int, default=4, help="runs at the same time [4]")
    parser.add_argument("--steps", type=int, help="stop after so many, to try it")
    return parser.parse_args()


def on_device(model):
    return model.to(DEVICE, memory_format=torch.channels_last)


class Part:
    """Pictures (n, 1, 48, 48) in 8 bits, classes and targets, on the device."""

    def __init__(self, part):
        self.pictures = torch.from_numpy(part.pictures)[:, None].to(DEVICE)
        self.labels, self.targets = torch.from_numpy(part.labels).to(DEVICE), torch.from_numpy(part.targets).to(DEVICE)

    def logits(self, model):
        model.eval()
        with torch.inference_mode():
            return torch.cat([model(batch.float() / 255) for batch in self.pictures.split(1024)]).double()


class Run:
    """A variant on a fold: everything that a step reads or moves lies on the device, so that a graph can hold it."""

    def __init__(self, settings, variant, fold, part):
        torch.manual_seed(fold)
        self.random, self.part, training = np.random.default_rng(fold), part, settings["training"]
        self.size, self.count = training["batch_size"], len(part.labels)
        self.steps_an_epoch = self.count // self.size
        self.steps = self.steps_an_epoch * training["epochs"]
        self.augmentation, self.smoothing = training["augmentation"], training["loss"]["label_smoothing"]
        self.model = on_device(Vgg(settings["model"] | variant, part.targets.shape[1]))
        self.average = Average(self.model, training["averaging"]["decay"])
        self.plan(training, variant.get("mixup", 0.0))
        self.order = torch.zeros(self.count, dtype=torch.long, device=DEVICE)
        self.step_of_epoch, self.step_of_run = (torch.zeros((), dtype=torch.long, device=DEVICE) for _ in range(2))
        self.rate = torch.zeros((), device=DEVICE)
        self.optimiser = self.adam(training["adam"])

    def plan(self, training, mixup):
        """Rates, decays of the average and shares of mixup, one a step."""
        steps, decay = np.arange(self.steps), training["averaging"]["decay"]
        rates = [training["learning_rate"] * factor(training["schedule"], step, self.steps) for step in steps]
        shares = self.random.beta(mixup, mixup, self.steps) if mixup else np.zeros(self.steps)
        planned = (rates, np.minimum(decay, (2 + steps) / (11 + steps)), np.minimum(shares, 1 - shares))
        self.rates, self.decays, self.shares = (torch.tensor(each, dtype=torch.float32, device=DEVICE) for each in planned)
        self.mixes = mixup > 0

    def adam(self, settings):
        weights = list(self.model.parameters())
        groups = [
            {"params": [each for each in weights if each.dim() >= 2], "weight_decay": settings["weight_decay"]},
            {"params": [each for each in weights if each.dim() < 2], "weight_decay": 0.0},
        ]
        graph = {"capturable": True, "fused": True} if DEVICE == "cuda" else {}
        betas = (settings["beta1"], settings["beta2"])
        return torch.optim.AdamW(groups, lr=self.rate, betas=betas, eps=settings["epsilon"], **graph)

    def shuffle(self):
        self.order.copy_(torch.from_numpy(self.random.permutation(self.count)))
        self.step_of_epoch.zero_()

    def planned(self, values):
        return values.index_select(0, self.step_of_run[None])[0]

    def batch(self):
        places = self.order.index_select(0, self.step_of_epoch * self.size + torch.arange(self.size, device=DEVICE))
        pictures = self.part.pictures.index_select(0, places).float() / 255
        pictures, targets = augmentation.augment(pictures, self.augmentation), self.part.targets.index_select(0, places)
        if self.mixes:
            partners, share = torch.rand(self.size, device=DEVICE).argsort(), self.planned(self.shares)
            pictures = torch.lerp(pictures, pictures[partners], share)
            targets = torch.lerp(targets, targets[partners], share)
        return pictures.contiguous(memory_format=torch.channels_last), targets

    def step(self):
        pictures, targets = self.batch()
        self.rate.copy_(self.planned(self.rates))
        self.optimiser.zero_grad(set_to_none=False)
        functional.cross_entropy(self.model(pictures), targets, label_smoothing=self.smoothing).backward()
        self.optimiser.step()
        average, current = self.average.pairs
        decay = self.planned(self.decays)
        with torch.no_grad():
            torch._foreach_mul_(average, decay)
            torch._foreach_add_(average, torch._foreach_mul(current, 1 - decay))
        self.step_of_epoch += 1
        self.step_of_run += 1

    def captured(self):
        """The step as a graph, the run as it was before."""
        before = [tensor.clone() for tensor in self.model.state_dict().values()]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        with torch.no_grad():
            for model in (self.model, self.average.model):
                for tensor, old in zip(model.state_dict().values(), before):
                    tensor.copy_(old)
            for memory in self.optimiser.state.values():
                for tensor in memory.values():
                    tensor.zero_()
            self.step_of_run.zero_()
        return graph.replay

    def train(self, most):
        for weight in self.model.parameters():
            weight.grad = torch.zeros_like(weight)
        self.model.train()
        self.shuffle()
        step = self.captured() if DEVICE == "cuda" else self.step
        for number in range(min(self.steps, most or self.steps)):
            if number % self.steps_an_epoch == 0:
                self.shuffle()
            step()


def check(settings):
    """Stops at what is not done here."""
    training = settings["training"]
    done = training["adam"]["form"] == "pytorch" and training["schedule"]["kind"] == "cosine" and training["averaging"]
    if not done or training["least_steps"] or settings["model"]["arch"] != "resvgg":
        sys.exit("only recipes with resvgg, Adam in PyTorch's form, cosine, an average and no least steps are done here")


def key(options, settings, name, fold):
    """What a run is, to know it again."""
    told = json.dumps([settings, VARIANTS[name], options.steps], sort_keys=True)
    return [name, fold, hashlib.sha256(told.encode()).hexdigest()[:16]]


def run(options, settings, name, fold):
    began = time.monotonic()
    data = pytorch_data.read(settings["data"] | {"split": {"seed": fold, "validation_fraction": 0.1}})
    training = Run(settings, VARIANTS[name], fold, Part(data.train))
    read = time.monotonic()
    training.train(options.steps)
    judged, validation = training.average.model, Part(data.validation)
    logits = validation.logits(judged)
    both = (logits.softmax(1) + torch.softmax(judged_mirrored(judged, validation), 1)).log()
    result = {
        "key": key(options, settings, name, fold), "validation": figures(logits, validation.labels),
        "with_flips": figures(both, validation.labels),
        "parameters": sum(weight.numel() for weight in judged.parameters()),
        "seconds": {"reading": read - began, "training": time.monotonic() - read},
        "torch": torch.__version__, "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu",
    }
    if not VARIANTS[name]:
        test = Part(data.test)
        result["PublicTest"] = figures(test.logits(judged), test.labels)
    return result


def judged_mirrored(model, part):
    mirrored = copy.copy(part)
    mirrored.pictures = part.pictures.flip(3)
    return mirrored.logits(model)


def work(options, settings, jobs):
    torch.set_default_device(DEVICE)
    torch.set_num_threads(2)
    torch.backends.cudnn.benchmark = True
    for name, fold in iter(jobs.get, None):
        line = json.dumps(run(options, settings, name, fold))
        with open(options.out / "results.jsonl", "a") as file:
            file.write(line + "\n")
        print(line, flush=True)


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = settle(tomllib.loads(options.recipe.read_text()), KNOWN)
    check(settings)
    settings["data"] |= {"path": options.data, "ferplus": options.ferplus}
    kept = options.out / "results.jsonl"
    lines = map(json.loads, kept.read_text().splitlines()) if kept.exists() else []
    done = [line["key"] for line in lines]
    context = multiprocessing.get_context("spawn")
    jobs = context.Queue()
    for job in [(name, fold) for name in options.variants for fold in options.folds]:
        if key(options, settings, *job) not in done:
            jobs.put(job)
    workers = [context.Process(target=work, args=(options, settings, jobs)) for _ in range(options.workers)]
    for worker in workers:
        jobs.put(None)
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("a run failed")


if __name__ == "__main__":
    main()

"""What a recipe is made of as PyTorch has it: pytorch_recipe.json.

Made with Python 3.11.7, torch 2.15.0, scikit-learn 1.9.1, numpy 2.4.6.
Run beside this file: python pytorch_recipe.py

All is computed in float64 on the CPU.

- sgd: torch.optim.SGD, the values after each of five steps with given gradients.
- clipping: torch.nn.utils.clip_grad_norm_ over two tensors: the norm before, the gradients after.
- plateau: torch.optim.lr_scheduler.ReduceLROnPlateau, the learning rate after each epoch's figure.
- losses: values and gradients for the logits. Label smoothing and class weights are those of
  torch.nn.functional.cross_entropy with class probabilities as the target; balanced weights are
  scikit-learn's compute_class_weight. PyTorch has no logit adjustment: it is added to the logits, and torch
  differentiates.
"""

import json
from pathlib import Path

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

HERE = Path(__file__).parent
# Training pictures of each class: roughly FER+'s shares of the eight.
COUNTS = [90, 4, 23, 264, 366, 127, 126, 6]


def numbers(draw, *shape):
    """Normal numbers of five decimals."""
    return torch.tensor(np.round(draw.normal(size=shape), 5))


def sgd(draw):
    """(momentum, nesterov, weight decay) with and without each."""
    cases = []
    for momentum, nesterov, decay in [
        (0.0, False, 0.0), (0.9, False, 0.0), (0.9, True, 0.0), (0.8, False, 0.1), (0.8, True, 0.1)
    ]:
        weight = torch.nn.Parameter(numbers(draw, 2, 3))
        case = {"momentum": momentum, "nesterov": nesterov, "weight_decay": decay, "rate": 0.1}
        case |= {"start": weight.tolist(), "gradients": [], "after": []}
        optimiser = torch.optim.SGD(
            [weight], lr=case["rate"], momentum=momentum, nesterov=nesterov, weight_decay=decay
        )
        for _ in range(5):
            weight.grad = numbers(draw, 2, 3)
            case["gradients"].append(weight.grad.tolist())
            optimiser.step()
            case["after"].append(weight.tolist())
        cases.append(case)
    return cases


def clipping(draw):
    """A bound below the norm, one just above, and one far above."""
    cases = []
    for most in [0.5, 3.5, 100.0]:
        first, second = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
        first.grad, second.grad = numbers(draw, 2, 3).float(), numbers(draw, 4).float()
        case = {"most": most, "first": first.grad.tolist(), "second": second.grad.tolist()}
        case["norm"] = torch.nn.utils.clip_grad_norm_([first, second], most).item()
        case |= {"first_after": first.grad.tolist(), "second_after": second.grad.tolist()}
        cases.append(case)
    return cases


def plateau(draw):
    """A falling loss and a rising accuracy, both noisy, with different patience."""
    epochs = np.arange(40)
    losses = np.round(1.5 * np.exp(-epochs / 6) + 0.5 + 0.02 * draw.normal(size=40), 4)
    accuracies = np.round(0.8 - 0.6 * np.exp(-epochs / 6) + 0.01 * draw.normal(size=40), 4)
    cases = []
    for mode, values in [("min", losses), ("max", accuracies)]:
        for patience, cooldown, threshold in [(0, 0, 1e-4), (2, 0, 1e-2), (2, 3, 1e-4), (5, 0, 0.0)]:
            settings = {"factor": 0.5, "patience": patience, "threshold": threshold, "cooldown": cooldown}
            optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode=mode, eps=0.0, **settings)
            rates = []
            for value in values:
                schedule.step(value)
                rates.append(optimiser.param_groups[0]["lr"])
            cases.append({"mode": mode, **settings, "values": values.tolist(), "rates": rates})
    return cases


def losses(draw):
    """Each part alone and several together, on pictures with voted and with single labels."""
    labels = np.repeat(np.arange(8), COUNTS)
    weights = torch.tensor(compute_class_weight("balanced", classes=np.arange(8), y=labels))
    prior = torch.log(torch.tensor(COUNTS, dtype=torch.float64) / sum(COUNTS))
    votes = draw.multinomial(10, [0.3, 0.02, 0.03, 0.1, 0.25, 0.2, 0.08, 0.02], size=5) / 10
    targets = torch.tensor(np.concatenate([votes, np.eye(8)[[1, 7]]]))
    cases = []
    for smoothing, balanced, adjustment in [
        (0.0, False, 0.0), (0.1, False, 0.0), (0.0, True, 0.0), (0.2, True, 0.0), (0.0, False, 1.0),
        (0.1, True, 0.5),
    ]:
        logits = (2 * numbers(draw, 7, 8)).requires_grad_()
        weight = weights if balanced else None
        adjusted = logits + adjustment * prior
        loss = functional.cross_entropy(adjusted, targets, weight=weight, label_smoothing=smoothing)
        loss.backward()
        cases.append({
            "label_smoothing": smoothing, "class_weights": "balanced" if balanced else "none",
            "logit_adjustment": adjustment, "logits": logits.tolist(),
            "targets": targets.tolist(), "loss": loss.item(), "gradient": logits.grad.tolist(),
        })  # fmt: skip
    return {"counts": COUNTS, "cases": cases}


def main():
    torch.set_num_threads(1)
    draw = np.random.default_rng(20260311)
    made = {"torch": torch.__version__.split("+")[0]}
    made |= {part.__name__: part(draw) for part in [sgd, clipping, plateau, losses]}
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in made.items())
    (HERE / "pytorch_recipe.json").write_text("{\n" + text + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

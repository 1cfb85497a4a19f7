"""Whether the peers compute the same thing; nothing is measured before they do."""

import math

TOLERANCE, PICTURES, STEPS = 1e-3, 32, 3
# Adam's first steps move a weight by the whole rate whichever way its gradient rounds: PyTorch and its
# own compiled form part by 1.3e-3 in three steps of resnet.
LATER_TOLERANCE = 5e-3


def disagreement(network, workers):
    """Where workers differ from PyTorch as installed, in words; empty where they agree.

    Logits in evaluation mode must be within TOLERANCE of PyTorch's, relative to the largest logit
    where that is above 1; so must the loss of the first training step without dropout, and those up
    to STEPS within LATER_TOLERANCE, as many of them as a worker gives."""
    question = {"network": network, "batch": PICTURES, "steps": STEPS}
    answers = {name: worker.ask("check", **question) for name, worker in workers.items()}
    wanted = answers["pytorch"]
    flat = lambda rows: [value for row in rows for value in row]
    found = []
    for name, answer in answers.items():
        losses = answer.get("losses", wanted["losses"])
        for what, values, expected, tolerance in [
            ("logits", flat(answer["logits"]), flat(wanted["logits"]), TOLERANCE),
            ("first loss", losses[:1], wanted["losses"][:1], TOLERANCE),
            ("losses", losses, wanted["losses"][: len(losses)], LATER_TOLERANCE),
        ]:
            far = distance(values, expected)
            if not far <= tolerance:
                found.append(f"{name}'s {what} of {network} are {far:.1e} from PyTorch's")
    if len(set(wanted["losses"])) < STEPS:
        found.append(f"the losses of {network} do not move: {wanted['losses']}")
    return found


def distance(values, expected):
    """The largest difference over the largest expected value, or over 1 where that is larger.

    Infinite where the lengths differ or a value is no number."""
    if len(values) != len(expected):
        return float("inf")
    scale = max(1.0, max(abs(value) for value in expected))
    far = [abs(one - other) / scale for one, other in zip(values, expected)]
    return max(far) if all(map(math.isfinite, far)) else float("inf")

"""Whether the peers compute the same thing; nothing is measured before they do."""

import math

TOLERANCE, PICTURES, STEPS = 1e-3, 32, 3


def disagreement(network, workers):
    """Where workers differ from PyTorch as installed, in words; empty where they agree.

    Logits in evaluation mode must be within TOLERANCE of PyTorch's, relative to the largest logit
    where that is above 1; so must the losses of the first STEPS training steps without dropout, as
    many of them as a worker gives."""
    question = {"network": network, "batch": PICTURES, "steps": STEPS}
    answers = {name: worker.ask("check", **question) for name, worker in workers.items()}
    wanted = answers["pytorch"]
    flat = lambda rows: [value for row in rows for value in row]
    found = []
    for name, answer in answers.items():
        losses = answer.get("losses", wanted["losses"])
        for what, values, expected in [
            ("logits", flat(answer["logits"]), flat(wanted["logits"])),
            ("losses", losses, wanted["losses"][: len(losses)]),
        ]:
            far = distance(values, expected)
            if not far <= TOLERANCE:
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

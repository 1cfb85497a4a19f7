"""Interleaved rounds over the workers of a row."""

import statistics

# How long one worker's turn in a round shall last at the least, in seconds.
TURN = 1.0
FEWEST, MOST = 3, 1000


def rounds(participants, count):
    """{name: one number a round}. `participants` maps a name to a function that measures once.

    Every other round goes backwards, so that nobody always follows the same neighbour."""
    found = {name: [] for name in participants}
    order = list(participants)
    for number in range(count):
        for name in order if number % 2 == 0 else reversed(order):
            found[name].append(participants[name]())
    return found


def participant(worker, row):
    """Warms the worker up; returns a function for one turn: the median seconds of a repetition."""
    warm = worker.ask(row.work, **row.question, iterations=FEWEST)["seconds"]
    iterations = min(MOST, max(FEWEST, round(TURN / max(min(warm), 1e-6))))
    ask = lambda: worker.ask(row.work, **row.question, iterations=iterations)
    return lambda: statistics.median(ask()["seconds"])


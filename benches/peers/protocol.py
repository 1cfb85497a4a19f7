"""What a worker written in Python does besides its work: answers questions, one a line, as JSON."""

import json
import os
import sys
import time
import traceback


def serve(answers):
    """Answers the questions on stdin by `answers[question["work"]](question)`, a dictionary each.

    What libraries print goes to stderr, so that stdout carries answers alone."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if question["work"] not in answers:
                raise ValueError(f"this worker knows no work named {question['work']}")
            answer = answers[question["work"]](question)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


def timed(step, iterations):
    """{"seconds": one number a call of `step(number)`}."""
    seconds = []
    for number in range(iterations):
        start = time.perf_counter()
        step(number)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


class Last:
    """Keeps what was made for the last key, so that one row's network is built once."""

    def __init__(self, make):
        self.make, self.key, self.value = make, None, None

    def get(self, *key):
        if key != self.key:
            self.value = None
            self.value = self.make(*key)
            self.key = key
        return self.value

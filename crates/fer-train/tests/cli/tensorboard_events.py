"""Reads a run directory as TensorBoard does and writes what it found as JSON.

With tensorboard 2.20.0.
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
scalars = {
    tag: [[event.step, event.value] for event in events.Scalars(tag)]
    for tag in events.Tags()["scalars"]
}
json.dump({"version": events.file_version, "scalars": scalars}, sys.stdout)

"""The protocol between the benchmark and the processes that it measures.

A process prints the names of its measurements as JSON. For each name on a line of stdin
it then prints one number on stdout.
"""

import json
import sys
from collections.abc import Callable


def answer(measurements: dict[str, Callable[[], float]]) -> None:
    """Warms up each measurement, then runs those that are asked for by name."""
    for measure in measurements.values():
        measure()
    print(json.dumps(list(measurements)), flush=True)
    for line in sys.stdin:
        print(measurements[line.strip()](), flush=True)

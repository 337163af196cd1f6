"""How a measuring process answers the one that asks: a name on a line of stdin, a number on stdout."""

import json
import sys
from collections.abc import Callable


def answer(measurements: dict[str, Callable[[], float]]) -> None:
    """Runs, for each name that is asked for, its measurement; first of all each once, to warm up."""
    for measure in measurements.values():
        measure()
    print(json.dumps(list(measurements)), flush=True)
    for line in sys.stdin:
        print(measurements[line.strip()](), flush=True)

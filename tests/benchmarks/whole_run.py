"""Runs `bin/train --preset fast` in this process, and prints what it cost as JSON."""

import json
import resource
import sys
import time
from pathlib import Path

import jax
import numpy as np

compiling = 0.0


def listen(event: str, seconds: float, **_: object) -> None:
    """Adds up what JAX says of compiling, from tracing to machine code."""
    global compiling
    if event.startswith("/jax/core/compile/") or event.startswith("/jax/compilation_cache/cache_retrieval"):
        compiling += seconds


def step_seconds(config) -> float:
    """Times single steps, apart from the epoch that they make up."""
    from tests.benchmarks.ours import ours

    measure = ours(config)
    measure()
    return config.batch_size / float(np.median([measure() for _ in range(5)]))


if __name__ == "__main__":
    start = time.perf_counter()
    jax.monitoring.register_event_duration_secs_listener(listen)
    from cnn import cli
    from cnn.config import PRESETS, TrainConfig
    from cnn.train import train

    cli._keep_compiled()
    config = TrainConfig(preset="fast", **PRESETS["fast"])
    report = train(config)
    result = {"seconds": time.perf_counter() - start, "accuracy": report["test"]["accuracy"]}
    result |= {"compiling": compiling, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}
    rows = [json.loads(line) for line in Path("runs/mnist/metrics.jsonl").read_text().splitlines()]
    step = step_seconds(config)
    result["epoch_over_steps"] = float(np.median([row["seconds"] for row in rows]) / (55_000 // 128 * step))
    print(json.dumps(result), file=sys.stdout)

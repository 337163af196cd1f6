"""Runs `bin/train --preset fast` in this process, and prints as JSON what compiling costs, or an epoch."""

import json
import resource
import sys

import jax
import numpy as np

from cnn.compilation_cache import enable_compilation_cache
from cnn.config import PRESETS, TrainConfig
from cnn.data import datasets
from cnn.training import loop, train_step
from tests.benchmarks.ours import ours

compiling = 0.0


def listen(event: str, seconds: float, **_: object) -> None:
    """Adds up what JAX says of compiling, from tracing to machine code, or to what the cache has of it."""
    global compiling
    if event.startswith("/jax/core/compile/"):
        compiling += seconds


def compiling_and_memory() -> dict[str, float]:
    """Trains as the command does, from nothing to the plots."""
    enable_compilation_cache()
    report = loop.train(TrainConfig(preset="fast", **PRESETS["fast"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "compiling": compiling,
        "megabytes": peak,
        "accuracy": report["test"]["accuracy"],
    }


def epoch_over_steps() -> dict[str, float]:
    """Times epochs, and steps before and after each, since a machine's speed drifts."""
    config = TrainConfig()
    dataset, _ = loop.train_validation_split(datasets.load("mnist", "train"), config)
    images, targets = train_step.replicate(loop.make_training_examples(dataset, config))
    steps = len(images) // config.batch_size
    state = train_step.replicate(train_step.create_state(config, 10, steps))
    take_steps, measure, ratios = (
        train_step.compile_steps(state, images, targets, config),
        ours(config),
        [],
    )
    measure()
    for epoch in range(1, 6):
        before = measure()
        order = train_step.epoch_permutation(config.seed, epoch, len(images))
        state, trained = loop.train_epoch(
            take_steps, state, images, targets, order, epoch, config
        )
        of_steps = steps * config.batch_size * 2 / (before + measure())
        ratios.append(trained["seconds"] / of_steps)
    return {"epoch_over_steps": float(np.median(ratios))}


if __name__ == "__main__":
    jax.monitoring.register_event_duration_secs_listener(listen)
    result = (
        compiling_and_memory() if sys.argv[1] == "compiling" else epoch_over_steps()
    )
    print(json.dumps(result), file=sys.stdout)

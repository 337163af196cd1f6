"""Measures compilation, memory and epochs of `bin/train`, and prints JSON."""

import argparse
import json
import resource
import sys

import jax
import numpy as np

from cnn.compilation_cache import enable_compilation_cache
from cnn.config import PRESETS, TrainConfig
from cnn.data import datasets
from cnn.model import CNN
from cnn.training import loop
from cnn.training.compile import initialize_state, select_backend
from cnn.training.epoch_data import count_steps, replicate, shuffle_epoch
from cnn.training.training_set import make_training_examples, train_validation_split
from tests.benchmarks.ours import ours

compiling = 0.0


def listen(event: str, seconds: float, **_: object) -> None:
    """Adds the seconds of tracing and compiling, or of loading from the cache."""
    global compiling
    if event.startswith("/jax/core/compile/"):
        compiling += seconds


def compiling_and_memory() -> dict[str, float]:
    """Runs `bin/train --preset fast` in this process."""
    enable_compilation_cache()
    report = loop.train(TrainConfig(preset="fast", **PRESETS["fast"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "compiling": compiling,
        "megabytes": peak,
        "accuracy": report["test"]["accuracy"],
    }


def epoch_over_steps() -> dict[str, float]:
    """Compares the time of epochs with that of steps before and after each."""
    config = TrainConfig()
    dataset, _ = train_validation_split(datasets.load("mnist", "train"), config)
    model = CNN(10, dtype=config.compute_dtype)
    backend = select_backend(model)
    examples = make_training_examples(dataset, config)
    images, targets = replicate(examples, backend.sharding)
    num_steps = count_steps(len(images), config)
    num_images = num_steps * config.batch_size
    state = initialize_state(backend, model, config, num_steps)
    data = shuffle_epoch(config.seed, 1, images, targets)
    run_steps = backend.compile_steps(state, data, config)
    measure = ours(config)
    measure()
    ratios = []
    for epoch in range(1, 6):
        before = measure()
        data = shuffle_epoch(config.seed, epoch, images, targets)
        state, metrics = loop.train_epoch(
            run_steps, state, data, epoch, backend.steps_per_call
        )
        images_per_second = (before + measure()) / 2
        step_seconds = num_images / images_per_second
        ratios.append(metrics["seconds"] / step_seconds)
    return {"epoch_over_steps": float(np.median(ratios))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", choices=["compiling", "epoch"])
    arguments = parser.parse_args()
    jax.monitoring.register_event_duration_secs_listener(listen)
    if arguments.measure == "compiling":
        result = compiling_and_memory()
    else:
        result = epoch_over_steps()
    print(json.dumps(result), file=sys.stdout)

"""Compares training with PyTorch, Keras and plain Flax.

Run `python -m tests.benchmarks.training_speed [--rounds 5]`. It makes virtual
environments for the two others, measures all in turn, prints medians, and writes
tests/benchmarks/training_speed.json.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from cnn.data import datasets
from tests.benchmarks.environments import FOLDER, PEERS, environment
from tests.conftest import ROOT

HERE = Path(__file__).parent
TRAINING_PEERS = ("torch", "keras")
# Matrix products, forward and backward, over the 26×26 pixels that have an effect.
FLOP_PER_IMAGE = 13.95e6


def steps(pythons: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Runs each measurement of each process, in turns."""
    commands = [
        [sys.executable, "-m", "tests.benchmarks.ours"],
        [pythons["torch"], HERE / "torch_peer.py", "answer"],
        [pythons["keras"], HERE / "keras_peer.py", "answer"],
    ]
    results: dict[str, list[float]] = {}
    pipes = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
        "cwd": ROOT,
    }
    processes = [subprocess.Popen(command, **pipes) for command in commands]
    names = [json.loads(process.stdout.readline()) for process in processes]
    for _ in range(rounds):
        for process, measured in zip(processes, names, strict=True):
            for name in measured:
                print(name, file=process.stdin, flush=True)
                results.setdefault(name, []).append(float(process.stdout.readline()))
    for process in processes:
        process.communicate()
    return results


def wholes(pythons: dict[str, str], rounds: int) -> dict[str, list]:
    """Measures whole commands, from start to the written model at 99 % accuracy."""
    results: dict[str, list] = {
        "cnn": [],
        "PyTorch": [],
        "Keras": [],
        "first": [],
        "later": [],
        "epoch": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        train, test = (datasets.load("mnist", split) for split in ("train", "test"))
        arrays = {
            "x": train.images,
            "y": train.labels,
            "test_x": test.images,
            "test_y": test.labels,
        }
        np.savez(f"{folder}/mnist.npz", **arrays)

        def run(*command: object, **environment: str) -> tuple[float, str]:
            shutil.rmtree(f"{folder}/runs", ignore_errors=True)
            start = time.perf_counter()
            env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
            done = subprocess.run(
                command,
                cwd=folder,
                env=env,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            return time.perf_counter() - start, done.stdout.splitlines()[-1]

        for number in range(rounds):
            seconds, line = run(
                sys.executable, ROOT / "bin" / "train", "--preset", "fast"
            )
            results["cnn"].append((seconds, float(line.split()[2].rstrip("%,")) / 100))
            for name, peer in (("PyTorch", "torch"), ("Keras", "keras")):
                command = (
                    pythons[peer],
                    HERE / f"{peer}_peer.py",
                    "train",
                    f"{folder}/mnist.npz",
                )
                seconds, line = run(*command)
                results[name].append((seconds, float(line)))
            cache = {"JAX_COMPILATION_CACHE_DIR": f"{folder}/cache-{number}"}
            cache["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
            for when, what in (
                ("first", "compiling"),
                ("later", "compiling"),
                ("epoch", "epoch"),
            ):
                _, line = run(sys.executable, HERE / "whole_run.py", what, **cache)
                results[when].append(json.loads(line))
    return results


def table(
    speeds: dict[str, list[float]], runs: dict[str, list]
) -> list[tuple[str, float, str]]:
    """Makes the rows of the result: quantity, median and target."""

    def ratio(name: str, *others: str) -> float:
        best = max(others, key=lambda other: statistics.median(speeds[other]))
        return statistics.median(
            [a / b for a, b in zip(speeds[name], speeds[best], strict=True)]
        )

    share = [
        a * FLOP_PER_IMAGE / b / 1e9
        for a, b in zip(speeds["cnn"], speeds["sgemm"], strict=True)
    ]
    fast = statistics.median(seconds for seconds, _ in runs["cnn"])
    peers = [
        statistics.median(seconds for seconds, _ in runs[name])
        for name in ("PyTorch", "Keras")
    ]

    def median(when: str, what: str) -> float:
        return statistics.median(run[what] for run in runs[when])

    return [
        ("step, times plain Flax", ratio("cnn", "plain Flax"), ">= 7"),
        (
            "step, times PyTorch",
            ratio("cnn", *(n for n in speeds if n.startswith("PyTorch"))),
            ">= 2.7",
        ),
        (
            "step, times Keras",
            ratio("cnn", *(n for n in speeds if n.startswith("Keras"))),
            ">= 2",
        ),
        ("step, share of sgemm", statistics.median(share), ">= 0.65"),
        (
            "augmentation, times the time",
            ratio("cnn", "cnn, augmented images"),
            "<= 1.15",
        ),
        ("epoch, times its steps", median("epoch", "epoch_over_steps"), "<= 1.05"),
        ("--preset fast, seconds", fast, "<= 25"),
        (
            "--preset fast, test accuracy",
            min(accuracy for _, accuracy in runs["cnn"]),
            ">= 0.99",
        ),
        ("--preset fast, share of PyTorch's time", fast / peers[0], "<= 0.333"),
        ("--preset fast, share of Keras' time", fast / peers[1], "<= 0.333"),
        ("compiling, first ever, seconds", median("first", "compiling"), "<= 4"),
        ("compiling, from the cache, seconds", median("later", "compiling"), "<= 1"),
        ("peak memory, megabytes", median("first", "megabytes"), "<= 900"),
    ]


def machine() -> dict[str, str]:
    """Describes the machine and the versions."""
    lines = (
        Path("/proc/cpuinfo").read_text().splitlines()
        if Path("/proc/cpuinfo").exists()
        else []
    )
    names = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith("model name")
    ]
    versions = {
        name: metadata.version(name) for name in ("jax", "flax", "optax", "numpy")
    }
    features = " ".join(
        sorted(
            {
                word
                for line in lines
                for word in line.split()
                if word in ("avx2", "avx512f")
            }
        )
    )
    about = {
        "processor": names[0] if names else platform.processor(),
        "features": features,
    }
    return (
        about
        | {"cores": str(os.cpu_count()), "python": platform.python_version()}
        | versions
    )


def main() -> None:
    """Measures everything and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="rounds of steps; whole commands run 3 times",
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=FOLDER,
    )
    arguments = parser.parse_args()
    pythons = {
        name: environment(name, arguments.environments) for name in TRAINING_PEERS
    }
    speeds = steps(pythons, arguments.rounds)
    runs = wholes(pythons, 3)
    rows = table(speeds, runs)
    for name, values in speeds.items():
        low, high = min(values), max(values)
        print(
            f"{name:<26}{statistics.median(values):>10,.0f}   ({low:,.0f} to {high:,.0f})"
        )
    for what, value, target in rows:
        print(f"{what:<40}{value:>10.3f}   {target}")
    results = {
        "machine": machine(),
        "peers": {name: PEERS[name] for name in TRAINING_PEERS},
        "rows": rows,
        "speeds": speeds,
        "runs": runs,
    }
    (HERE / "training_speed.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

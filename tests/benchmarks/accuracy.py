"""Trains a preset from several seeds: python -m tests.benchmarks.accuracy --preset fast --seeds 3."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Prints a line a seed, then mean and standard deviation of the test accuracy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    accuracies = []
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            words = ["--preset", arguments.preset, "--seed", str(seed)]
            start = time.monotonic()
            command = [sys.executable, str(ROOT / "bin" / "train"), *words]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            seconds = time.monotonic() - start
            report = json.loads(Path(folder, "runs", "mnist", "report.json").read_text())
        accuracies.append(report["test"]["accuracy"])
        print(f"seed {seed}: {accuracies[-1]:.2%}, {seconds:.0f} s from command to exit", flush=True)
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    print(f"{arguments.preset}: mean {statistics.mean(accuracies):.3%}, standard deviation {spread:.3%}")


if __name__ == "__main__":
    main()

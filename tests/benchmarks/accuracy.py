"""Trains a preset from several seeds, and measures the models on the test split.

Run `python -m tests.benchmarks.accuracy --preset fast --seeds 0 1 2`. `accuracy.json`
keeps accuracy, calibration error, the error under each corruption, and the AUROC of
digits against other images. The README's table is made from it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cnn.atomic_write import atomic_write
from cnn.classifier import Classifier
from cnn.data import datasets
from tests.benchmarks import corruptions
from tests.conftest import ROOT

RESULTS = Path(__file__).parent / "accuracy.json"


def main() -> None:
    """Prints a line per seed, then means and standard deviations over all kept seeds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="default")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="*",
        default=[0, 1, 2, 3, 4],
        help="seeds to train; without any, print the kept results",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("runs"), help="folder of the runs"
    )
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        result = trained(
            arguments.preset, seed, arguments.folder / f"{arguments.preset}_{seed}"
        )
        keep(arguments.preset, seed, result)
        print(f"seed {seed}: {line(result)}", flush=True)
    show(arguments.preset)


def trained(preset: str, seed: int, folder: Path) -> dict[str, Any]:
    """Runs `bin/train` in a folder, and then measures the model on the test split."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = not (
        folder / "runs"
    ).exists()  # The time of a run that is only continued says nothing.
    words = ["--preset", preset, "--seed", str(seed)]
    start = time.monotonic()
    subprocess.run(
        [sys.executable, str(ROOT / "bin" / "train"), *words], cwd=folder, check=True
    )
    seconds = time.monotonic() - start
    report = json.loads((folder / "runs" / "mnist" / "report.json").read_text())
    classifier, test = (
        Classifier.load(folder / "mnist_model.h5"),
        datasets.load("mnist", "test"),
    )
    errors = corruptions.errors(classifier, test, seed=0)
    kept = ("accuracy", "loss", "expected_calibration_error")
    return {
        **{name: report["test"][name] for name in kept},
        "seconds": round(seconds, 1) if fresh else None,
        "training_seconds": report["training_seconds"],
        "temperature": report["temperature"],
        "unsure_below": report["unsure_below"],
        "clean_error": errors.pop("clean"),
        "corruption_error": statistics.mean(errors.values()),
        "corruption_errors": errors,
        "auroc": corruptions.aurocs(classifier, test, seed=0),
        "device": report["device"],
        "versions": report["versions"],
    }


def keep(preset: str, seed: int, result: dict[str, Any]) -> None:
    """Writes a result beside those of other presets and seeds."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results.setdefault(preset, {})[str(seed)] = result
    with atomic_write(RESULTS) as partial:
        partial.write_text(json.dumps(results, indent=1) + "\n")


def line(result: dict[str, Any]) -> str:
    """Writes a result in a line."""
    return (
        f"{result['accuracy']:.2%}, calibration error {result['expected_calibration_error']:.2%}, "
        f"corruptions {result['corruption_error']:.2%}, AUROC {result['auroc']['all']:.4f}, "
        + (
            f"{result['seconds']:.0f} s from command to exit"
            if result["seconds"]
            else "continued"
        )
    )


def show(preset: str) -> None:
    """Prints mean and standard deviation of the kept results of a preset."""
    kept = json.loads(RESULTS.read_text()).get(preset, {}) if RESULTS.exists() else {}
    rows = {
        "accuracy": [100 * r["accuracy"] for r in kept.values()],
        "calibration error": [
            100 * r["expected_calibration_error"] for r in kept.values()
        ],
        "mean corruption error": [100 * r["corruption_error"] for r in kept.values()],
        "AUROC": [r["auroc"]["all"] for r in kept.values()],
        "seconds": [r["seconds"] for r in kept.values() if r["seconds"]],
    }
    print(f"{preset}, seeds {', '.join(kept)}:")
    for name, values in rows.items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(
            f"  {name}: {statistics.mean(values):.4g} ± {spread:.2g}"
            if values
            else f"  {name}: none"
        )


if __name__ == "__main__":
    main()

"""Makes the shipped model `digits` anew from a finished run of bin/train.

    bin/train --preset best --workdir runs/best --model best.h5
    python -m tests.make_models best.h5 runs/best --folders bhmsds hwd1000

It copies the model to `cnn/models/digits.h5`, measures it, and writes the report
`digits.json` and the tables of the model card `README.md` beside it. Measuring takes some
minutes.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.augmentation.simulated_strings import STRING_KINDS
from cnn.classifier import Classifier
from cnn.config import PRESETS, TrainConfig
from cnn.config_schema import flag_name
from cnn.models import DIGITS
from tests.benchmarks import pages, strings
from tests.benchmarks.string_reading import (
    SEPARATORS,
    StringReadings,
    read_strings,
)
from tests.model_card import write_tables

# Simulated pages and numbers of each kind, and composed strings of each length and gap.
COUNT = 100
NUM_STRINGS = 200
SEED = 0

# Settings of a run that say where it ran, and nothing about its model.
PLACES = (
    "preset", "workdir", "model", "data_dir", "restart", "distributed", "coordinator",
    "num_processes", "process_id", "initialization_timeout", "heartbeat_timeout",
)  # fmt: skip


def main() -> None:
    """Copies the model, and writes its report and its card."""
    arguments = parse_arguments()
    config = json.loads((arguments.workdir / "config.json").read_text())
    training = json.loads((arguments.workdir / "report.json").read_text())
    classifier = Classifier.load(arguments.model)
    report = {
        "command": write_command(config),
        "sha256": hashlib.sha256(arguments.model.read_bytes()).hexdigest(),
        "settings": {name: config[name] for name in config if name not in PLACES},
        "training": training,
        "pages": measure_pages(classifier),
        "folders": {
            path.name: measure_folder(classifier, path) for path in arguments.folders
        },
        "strings": measure_strings(classifier),
        "numbers": measure_numbers(classifier),
    }
    shutil.copyfile(arguments.model, DIGITS)
    DIGITS.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    write_tables(DIGITS.with_name("README.md"), report)


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="model file of the run")
    parser.add_argument("workdir", type=Path, help="workdir of the run")
    pages.add_folders(parser)
    return parser.parse_args()


def write_command(config: dict[str, Any]) -> str:
    """Writes the command of a run, with its seed and all that the preset leaves open.

    Example:
      >>> write_command({"preset": "best", "epochs": 60, "seed": 3})
      'bin/train --preset best --seed 3'
    """
    preset = config["preset"]
    defaults = json.loads(TrainConfig().as_json())
    usual = {**defaults, **PRESETS[preset], "seed": None}
    flags = [
        f"{flag_name(name)} {value}"
        for name, value in config.items()
        if name not in PLACES and value != usual[name]
    ]
    return " ".join([f"bin/train --preset {preset}", *flags])


def measure_pages(classifier: Classifier) -> dict[str, Any]:
    """Reads simulated pages of validation digits, by kind."""
    images, labels = pages.load_digits("validation", SEED, COUNT)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in PAGE_KINDS:
            paths = pages.render_pages(kind, images, labels, SEED, Path(folder, kind))
            results[kind] = count_readings(pages.read_files(classifier, paths, labels))
    return results


def measure_folder(classifier: Classifier, folder: Path) -> dict[str, int]:
    """Reads real digits."""
    paths = sorted(folder.glob("[0-9]/*"))
    labels = np.array([int(path.parent.name) for path in paths])
    return count_readings(pages.read_files(classifier, paths, labels))


def measure_strings(classifier: Classifier) -> dict[str, dict[str, float]]:
    """Reads strings of test digits: the share of right ones by gap and by length."""
    digits = strings.load_digits("test", SEED)
    results: dict[str, dict[str, float]] = {}
    for gaps in strings.GAPS:
        row = results[f"{gaps[0]} to {gaps[1]}"] = {}
        for length in strings.LENGTHS:
            size = (length, gaps, SEED, NUM_STRINGS)
            readings = read_strings(classifier, strings.compose_strings(*digits, *size))
            row[str(length)] = float(readings.is_correct.mean())
    return results


def measure_numbers(classifier: Classifier) -> dict[str, dict[str, int]]:
    """Reads simulated numbers of validation digits, by kind."""
    digits = strings.load_digits("validation", SEED)
    results = {}
    for kind in STRING_KINDS:
        lines = strings.simulate(kind, *digits, SEED, COUNT)
        separators = SEPARATORS if kind == "separators" else ""
        results[kind] = count_readings(read_strings(classifier, lines, separators))
    return results


def count_readings(readings: pages.Readings | StringReadings) -> dict[str, int]:
    """Counts what was read right, what is not `ok`, and what is wrong but sure."""
    is_correct = readings.is_correct
    is_sure_mistake = ~is_correct & (readings.confidence > 0.99)
    return {
        "count": len(is_correct),
        "correct": int(is_correct.sum()),
        "unsure or blank": int((~readings.is_ok).sum()),
        "wrong, over 99 % sure": int(is_sure_mistake.sum()),
    }


if __name__ == "__main__":
    main()

"""Learns letters of some people, and reads those of others.

    python -m tests.benchmarks.letters --folder FOLDER --learn 14 --draws 5
    python -m tests.benchmarks.letters --folder FOLDER --init digits
    python -m tests.benchmarks.letters --dataset emnist/letters --preset best --draws 1

FOLDER has one subfolder of pictures per class. The number at the end of a picture's name
is the person who wrote it, as in the Latin alphabet of Omniglot. Each draw takes some
people at random for `bin/train --dataset none --images`, and the others as its test split.
Other flags go to bin/train. Without a FOLDER they name a data set, whose test split is read, and a
draw is a seed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Prints the accuracy on the test split, per draw and their mean."""
    arguments = parse_arguments()
    accuracies = [run_draw(arguments, draw) for draw in range(arguments.draws)]
    draws = ", ".join(f"{accuracy:.1%}" for accuracy in accuracies)
    flags = " ".join(arguments.flags) or "no further flags"
    print(f"{flags}: {np.mean(accuracies):.1%} (draws: {draws})")


def parse_arguments() -> argparse.Namespace:
    """Parses the command line. `flags` are those that are for bin/train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--learn", type=int, default=14, help="people to learn from")
    parser.add_argument("--draws", type=int, default=5)
    arguments, arguments.flags = parser.parse_known_args()
    return arguments


def run_draw(arguments: argparse.Namespace, draw: int) -> float:
    """Trains, and returns the accuracy on the test split, in [0, 1]."""
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        command = [sys.executable, ROOT / "bin" / "train", "--workdir", "run"]
        if arguments.folder is None:
            command += ["--seed", draw]
        else:
            write_draw(arguments.folder, arguments.learn, draw, top / "letters")
            command += ["--dataset", "none", "--images", "letters"]
        command += arguments.flags
        subprocess.run(list(map(str, command)), cwd=top, check=True)
        report = json.loads((top / "run" / "report.json").read_text())
    accuracy: float = report["test"]["accuracy"]
    return accuracy


def write_draw(source: Path, learn: int, draw: int, folder: Path) -> None:
    """Copies letters of some people to CLASS/, and those of others to test/CLASS/."""
    paths = sorted(source.glob("*/*_*.*"))
    people = sorted({find_person(path) for path in paths})
    order = np.random.default_rng(draw).permutation(people)
    learned = set(order[:learn].tolist())
    for path in paths:
        name = path.parent.name
        part = name if find_person(path) in learned else f"test/{name}"
        (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / part)


def find_person(path: Path) -> int:
    """Returns the number at the end of a name.

    Example:
      >>> find_person(Path("a/c01_0683_07.png"))
      7
    """
    (number,) = re.findall(r"(\d+)$", path.stem)
    return int(number)


if __name__ == "__main__":
    main()

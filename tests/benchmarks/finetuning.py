"""Fine-tunes a model on some pictures of a hand, and reads the others of that hand.

    python -m tests.benchmarks.finetuning FOLDER --per-class 20 5 --draws 5

FOLDER has one subfolder of pictures per class. Each draw takes some pictures of each
class at random as `bin/train --images`, and all others as its test split. With
`--slanted`, all pictures lean to the right first: another hand.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from cnn.augmentation.simulated_pages.slanted_hands import shear_digit
from cnn.classifier import Classifier
from cnn.data import datasets

ROOT = Path(__file__).parent.parent.parent
# Pixels to the right per pixel upwards, as of the simulator's slanted hands.
SLANT = 0.7


def main() -> None:
    """Prints a row per number of pictures, with the means and the single draws."""
    arguments = parse_arguments()
    mnist = mnist_accuracy(Classifier.load(arguments.init))
    print(f"MNIST test accuracy of {arguments.init}: {mnist:.2%}")
    print("| pictures of each class | error before | error after | MNIST after |")
    print("|---|---|---|---|")
    for count in arguments.per_class:
        draws = [run_draw(arguments, count, draw) for draw in range(arguments.draws)]
        before, after, accuracy = np.mean(draws, axis=0)
        print(f"| {count} | {before:.2%} | {after:.2%} | {accuracy:.2%} |", flush=True)
        for before, after, accuracy in draws:
            print(f"  draw: {before:.2%} to {after:.2%}, MNIST {accuracy:.2%}")


def parse_arguments() -> argparse.Namespace:
    """Parses the command line. What follows `--` goes to bin/train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--init", default="digits")
    parser.add_argument("--per-class", type=int, nargs="+", default=[20, 5])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--slanted", action="store_true")
    parser.add_argument("flags", nargs="*", help="flags of bin/train, after --")
    return parser.parse_args()


def mnist_accuracy(classifier: Classifier) -> float:
    """Computes the accuracy on MNIST's test split, in [0, 1]."""
    test_set = datasets.load("mnist", "test")
    return float((classifier.predict(test_set.images) == test_set.labels).mean())


def run_draw(
    arguments: argparse.Namespace, count: int, draw: int
) -> tuple[float, float, float]:
    """Returns the error on the pictures before and after, and MNIST's accuracy after."""
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        write_draw(arguments, count, draw, top / "pictures")
        command = [sys.executable, ROOT / "bin" / "train", "--images", "pictures"]
        command += ["--init", arguments.init, "--seed", draw, *arguments.flags]
        subprocess.run(
            list(map(str, command)), cwd=top, check=True, capture_output=True
        )
        report = json.loads((top / "runs" / "pictures" / "report.json").read_text())
    images = report["images"]
    before = 1 - images["initial_accuracy"]
    after = 1 - images["test"]["accuracy"]
    return before, after, report["test"]["accuracy"]


def write_draw(
    arguments: argparse.Namespace, count: int, draw: int, folder: Path
) -> None:
    """Copies `count` pictures of each class to CLASS/, and the others to test/CLASS/."""
    rng = np.random.default_rng(draw)
    for source in sorted(path for path in arguments.folder.iterdir() if path.is_dir()):
        paths = sorted(source.iterdir())
        for place, index in enumerate(rng.permutation(len(paths)).tolist()):
            part = source.name if place < count else f"test/{source.name}"
            target = folder / part / paths[index].name
            target.parent.mkdir(parents=True, exist_ok=True)
            if arguments.slanted:
                slant_picture(paths[index], target.with_suffix(".png"))
            else:
                shutil.copy(paths[index], target)


def slant_picture(source: Path, target: Path) -> None:
    """Writes a picture that leans to the right, on paper of the picture's own color."""
    gray = np.asarray(ImageOps.exif_transpose(Image.open(source)).convert("L"))
    ink = 1 - gray.astype(np.float32) / 255
    # Outside of the picture there is paper, and no frame.
    paper = float(np.median(ink))
    leaning = shear_digit(cv2.max(ink - paper, 0), SLANT) + paper
    Image.fromarray(np.uint8(255 * np.clip(1 - leaning, 0, 1))).save(target)


if __name__ == "__main__":
    main()

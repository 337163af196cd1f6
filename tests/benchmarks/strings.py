"""Reads strings of MNIST digits by length and gap, and simulated numbers of each kind.

    python -m tests.benchmarks.strings --model mnist_model.h5 --split test

The strings of the first table are composed here, apart from the simulator that training
uses. The peer beside it sorts the contours of the same image by x, and sends each to the
same network.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cnn.augmentation.simulated_strings import (
    STRING_KINDS,
    SimulatedLine,
    simulate_line,
)
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.preprocessing import pipeline
from cnn.preprocessing.centering import scale_and_center
from cnn.training import training_set
from tests.benchmarks.string_reading import SEPARATORS, StringReadings, read_strings

LENGTHS = (2, 5, 10)
# Least and largest gap between the ink of neighbors, in pixels of 28.
GAPS = ((2, 8), (0, 3), (-3, 0), (-6, -2))
MARGIN = 4  # Of a string, in pixels.

# Gray level from which a pixel of MNIST is ink.
INK = 64

COLUMNS = (
    "kind",
    "count",
    "strings right",
    "CER",
    "unsure or blank",
    "wrong, over 99 % sure",
    "ms per line",
)


def main() -> None:
    """Prints a table of composed strings, and one of simulated kinds."""
    arguments = parse_arguments()
    classifier = Classifier.load(arguments.model)
    digits = load_digits(arguments.split, arguments.seed)
    if not arguments.no_gaps:
        print_gaps(classifier, *digits, arguments)
    if not arguments.kinds:
        return
    print(table_row(*COLUMNS) + "\n" + "|---" * len(COLUMNS) + "|")
    readings = []
    for kind in arguments.kinds:
        lines = simulate(kind, *digits, arguments.seed, arguments.count)
        separators = SEPARATORS if kind == "separators" else ""
        readings.append(read_strings(classifier, lines, separators))
        keep_failures(arguments.failures, kind, lines, readings[-1])
        print(format_row(kind.replace("_", " "), readings[-1]), flush=True)
    print(format_row("all kinds", concatenate(readings)))


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=300, help="strings of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--kinds", nargs="*", default=list(STRING_KINDS))
    parser.add_argument("--no-gaps", action="store_true", help="simulated kinds only")
    parser.add_argument("--lengths", nargs="*", type=int, default=LENGTHS)
    parser.add_argument(
        "--failures",
        type=Path,
        metavar="FOLDER",
        help="write images that were read wrongly to FOLDER/KIND",
    )
    return parser.parse_args()


def load_digits(split: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Loads digits that were not trained on: `uint8 (N, 28, 28, 1)`, and labels."""
    train_set, dataset = datasets.load_train_and_test("mnist", None)
    if split == "validation":
        config = TrainConfig(seed=seed)
        dataset = training_set.train_validation_split(train_set, config)[1]
    return dataset.images, dataset.labels


def print_gaps(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    arguments: argparse.Namespace,
) -> None:
    """Prints strings right by length and gap, with those of the peer in brackets."""
    cells = [f"{length} digits (peer)" for length in arguments.lengths]
    columns = ("gap", *cells, "wrong, over 99 % sure", "ms per line")
    print(table_row(*columns) + "\n" + "|---" * len(columns) + "|")
    for gaps in GAPS:
        row, readings = [], []
        for length in arguments.lengths:
            size = (arguments.seed, arguments.count)
            lines = compose_strings(images, labels, length, gaps, *size)
            readings.append(read_strings(classifier, lines))
            name = f"{gaps[0]}_to_{gaps[1]}"
            keep_failures(arguments.failures, name, lines, readings[-1])
            peer = np.mean([read_by_contours(classifier, x) == x.text for x in lines])
            row.append(f"{readings[-1].is_correct.mean():.1%} ({peer:.1%})")
        together = concatenate(readings)
        row += [f"{count_sure_mistakes(together)}", f"{together.milliseconds:.1f}"]
        print(table_row(f"{gaps[0]} to {gaps[1]}", *row), flush=True)
    print()


def compose_strings(
    images: np.ndarray,
    labels: np.ndarray,
    length: int,
    gaps: tuple[int, int],
    seed: int,
    count: int,
) -> list[SimulatedLine]:
    """Composes strings of a length, with gaps in a range."""
    return [
        compose_string([seed, length, i], images, labels, length, gaps)
        for i in range(count)
    ]


def compose_string(
    seed: list[int],
    images: np.ndarray,
    labels: np.ndarray,
    length: int,
    gaps: tuple[int, int],
) -> SimulatedLine:
    """Lays digits side by side in 28 rows, by the maximum, in one of both polarities."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(images), length)
    strip = np.zeros((28, 2 * MARGIN + length * (28 + max(gaps))), np.uint8)
    boxes, right = [], MARGIN
    for index in chosen:
        columns = np.flatnonzero((images[index, ..., 0] >= INK).any(axis=0))
        ink = images[index, :, columns[0] : columns[-1] + 1, 0]
        gap = int(rng.integers(gaps[0], gaps[1] + 1)) if boxes else 0
        # Not before the last digit's left edge.
        left = max(right + gap, boxes[-1][0] + 1 if boxes else 0)
        right = left + ink.shape[1]
        part = strip[:, left:right]
        np.maximum(part, ink, out=part)
        boxes.append((left, 0, right, 28))
    strip = strip[:, : right + MARGIN]
    image = 255 - strip if rng.random() < 0.5 else strip
    text = "".join(str(label) for label in labels[chosen])
    return SimulatedLine(image, text, np.array(boxes, np.float32), [])


def read_by_contours(classifier: Classifier, line: SimulatedLine) -> str:
    """Reads a number naively: its contours from the left, each by the network."""
    placement = pipeline.PREPROCESSING[classifier.preprocessing]
    border = np.concatenate([line.image[0], line.image[-1]])
    light = 255 - line.image if np.median(border) > 127 else line.image
    _, mask = cv2.threshold(light, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = sorted(cv2.boundingRect(contour) for contour in contours)
    tallest = max((box[3] for box in boxes), default=0)
    pieces = [
        scale_and_center(light[None, y : y + h, x : x + w] / np.float32(255), placement)
        for x, y, w, h in boxes
        if h >= 0.3 * tallest  # Smaller ones are specks.
    ]
    if not pieces:
        return ""
    labels = classifier.predict(np.concatenate(pieces))
    return "".join(classifier.class_names[label] for label in labels)


def simulate(
    kind: str, images: np.ndarray, labels: np.ndarray, seed: int, count: int
) -> list[SimulatedLine]:
    """Simulates lines of a kind."""
    return [
        simulate_line(np.random.default_rng([seed, i]), kind, images, labels)
        for i in range(count)
    ]


def keep_failures(
    folder: Path | None,
    kind: str,
    lines: list[SimulatedLine],
    readings: StringReadings,
) -> None:
    """Writes images that were read wrongly as FOLDER/KIND/NUMBER_READ_TEXT.png."""
    if folder is None:
        return
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for i in np.flatnonzero(~readings.is_correct):
        name = f"{i}_{readings.predictions[i]}_{readings.texts[i]}.png"
        Image.fromarray(lines[i].image).save(folder / kind / name.replace("/", "÷"))


def concatenate(readings: list[StringReadings]) -> StringReadings:
    """Joins readings of as many lines each."""
    return StringReadings(
        [text for part in readings for text in part.texts],
        [text for part in readings for text in part.predictions],
        np.concatenate([part.confidence for part in readings]),
        np.concatenate([part.is_ok for part in readings]),
        float(np.mean([part.milliseconds for part in readings])),
    )


def count_sure_mistakes(readings: StringReadings) -> int:
    """Counts the wrong strings of a confidence over 99 %."""
    return int((~readings.is_correct & (readings.confidence > 0.99)).sum())


def format_row(name: str, readings: StringReadings) -> str:
    """Formats the results as a row of a Markdown table."""
    num_sure = int((readings.confidence > 0.99).sum())
    return table_row(
        name,
        f"{len(readings.texts):,}",
        f"{readings.is_correct.mean():.1%}",
        f"{readings.character_error_rate:.2%}" if any(readings.texts) else "",
        f"{1 - readings.is_ok.mean():.1%}",
        f"{count_sure_mistakes(readings)} of {num_sure}",
        f"{readings.milliseconds:.1f}",
    )


def table_row(*cells: str) -> str:
    """Formats a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

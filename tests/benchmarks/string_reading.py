"""Reads images of numbers as `bin/infer --layout line` does, and compares the texts."""

import time
from typing import NamedTuple

import numpy as np
from PIL import Image

from cnn.augmentation.simulated_strings import SimulatedLine
from cnn.classifier import Classifier
from cnn.number_pattern import NumberPattern
from cnn.preprocessing import pipeline
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.text_lines.layouts import find_text_lines

# Images whose pieces go through the network together, as in a run of `bin/infer`.
CHUNK = 64

# What is read of numbers with separators.
SEPARATORS = ".,-/:"


class StringReadings(NamedTuple):
    """What was read of images of numbers.

    Attributes:
      texts: the numbers that the images show.
      predictions: the texts that were read, empty if nothing was found.
      confidence: `float64 (N,)` in [0, 1], 0 for empty ones.
      is_ok: `bool (N,)`, whether the status is `ok`.
      milliseconds: CPU time per image.
    """

    texts: list[str]
    predictions: list[str]
    confidence: np.ndarray
    is_ok: np.ndarray
    milliseconds: float

    @property
    def is_correct(self) -> np.ndarray:
        """`bool (N,)`."""
        return np.array(self.predictions) == np.array(self.texts)

    @property
    def character_error_rate(self) -> float:
        """Edit distance to the shown texts, as a share of their characters."""
        pairs = zip(self.predictions, self.texts, strict=True)
        errors = sum(edit_distance(*pair) for pair in pairs)
        return errors / max(sum(map(len, self.texts)), 1)


def read_strings(
    classifier: Classifier, lines: list[SimulatedLine], separators: str = ""
) -> StringReadings:
    """Reads images of one number each, in chunks."""
    pattern = NumberPattern(separators=separators)
    _read_chunk(classifier, lines[:CHUNK], pattern)  # Compiles the network.
    start = time.process_time()
    readings: list[tuple[str, float]] = []
    with single_threaded_opencv():
        for first in range(0, len(lines), CHUNK):
            chunk = lines[first : first + CHUNK]
            readings += _read_chunk(classifier, chunk, pattern)
    seconds = time.process_time() - start
    predictions, confidence = zip(*readings, strict=True)
    sure = np.array(confidence) >= classifier.string_unsure_below
    return StringReadings(
        texts=[line.text for line in lines],
        predictions=list(predictions),
        confidence=np.array(confidence),
        is_ok=sure & (np.array(predictions) != ""),
        milliseconds=1000 * seconds / len(lines),
    )


def _read_chunk(
    classifier: Classifier, lines: list[SimulatedLine], pattern: NumberPattern
) -> list[tuple[str, float]]:
    """Returns the text and the confidence of each image."""
    placement = pipeline.PREPROCESSING[classifier.preprocessing]
    found = [
        find_text_lines(Image.fromarray(line.image), "line", placement)
        for line in lines
    ]
    readings = iter(
        classifier.read_lines([first for first, *_ in filter(None, found)], pattern)
    )
    results = []
    for of_image in found:
        reading = next(readings) if of_image else None
        results.append((reading.text, reading.confidence) if reading else ("", 0.0))
    return results


def edit_distance(left: str, right: str) -> int:
    """Counts the least insertions, deletions and substitutions (Levenshtein)."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        diagonal, row[0] = row[0], i + 1
        for j, b in enumerate(right):
            change = diagonal + (a != b)
            diagonal = row[j + 1]
            row[j + 1] = min(change, row[j + 1] + 1, row[j] + 1)
    return row[-1]

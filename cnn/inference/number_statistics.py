"""Statistics of a run that reads numbers: statuses, accuracy, edit distance."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnn.inference.edit_distance import edit_distance
from cnn.inference.run_statistics import STATUSES
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.number_prediction import NumberPrediction

# Numbers on the contact sheet of the report plot.
_CONTACT_SHEET_SIZE = 40
# Bins of the histogram of confidence, of equal width in [0, 1].
_CONFIDENCE_BINS = 50

# Names of counts beside those of the statuses.
NUMBERS = "numbers"
SOURCES = "sources"
LABELED = "labeled"
CORRECT = "correct"
EDITS = "edits"
LABEL_CHARACTERS = "label characters"


class ShownNumber(NamedTuple):
    """A number on the contact sheet of the report plot.

    Attributes:
      doubt: priority: higher for wrong or less confident readings.
      order: tie breaker, which prefers earlier numbers.
      name: path of the file relative to the input.
      source: file, page and region.
      rank: place among the numbers of the source, from 0.
      prediction: what was read.
      is_correct: whether it is the label, or None without a label.
    """

    doubt: float
    order: int
    name: str
    source: Source
    rank: int
    prediction: "NumberPrediction"
    is_correct: bool | None


class LengthCount(NamedTuple):
    """Labeled numbers of one length, and how many were read right."""

    labeled: int
    correct: int


class NumberStatistics:
    """Counts of all rows, in memory that does not depend on the number of rows.

    Attributes:
      unit: what a source is, in the plural: files, pages or regions.
      counts: number of rows by status, and the counts that are named above.
      by_length: labeled numbers by the length of their label.
      confidences: `int (50,)`, histogram of the confidence of the numbers.
      correct_confidences: the same of those that are their label.
    """

    def __init__(self, unit: str = "files") -> None:
        """Starts with no rows."""
        self.unit = unit
        self.counts: Counter[str] = Counter()
        self.by_length: dict[int, LengthCount] = {}
        self.confidences = np.zeros(_CONFIDENCE_BINS, int)
        self.correct_confidences = np.zeros(_CONFIDENCE_BINS, int)
        # The first entry of this heap is the next one to drop.
        self._heap: list[ShownNumber] = []

    def add(
        self,
        name: str,
        source: Source,
        predictions: Sequence["NumberPrediction"],
        label: str,
    ) -> None:
        """Counts the numbers of a source.

        Args:
          name: path of the file relative to the input.
          source: file, page and region.
          predictions: its numbers, or one that says that there is none.
          label: the true number, empty if it is unknown.
        """
        self.counts[SOURCES] += 1
        for rank, prediction in enumerate(predictions):
            self.counts.update(
                count_number(prediction.prediction, prediction.status, label)
            )
            is_correct = prediction.prediction == label if label else None
            if label and prediction.status != "unreadable":
                self._count_label(label, bool(is_correct))
            if prediction.prediction:
                self._count_confidence(prediction.confidence, bool(is_correct))
                self._show(name, source, rank, prediction, is_correct)

    def _count_label(self, label: str, is_correct: bool) -> None:
        labeled, correct = self.by_length.get(len(label), (0, 0))
        self.by_length[len(label)] = LengthCount(labeled + 1, correct + is_correct)

    def _count_confidence(self, confidence: float, is_correct: bool) -> None:
        place = min(int(_CONFIDENCE_BINS * confidence), _CONFIDENCE_BINS - 1)
        self.confidences[place] += 1
        self.correct_confidences[place] += is_correct

    def _show(
        self,
        name: str,
        source: Source,
        rank: int,
        prediction: "NumberPrediction",
        is_correct: bool | None,
    ) -> None:
        # All wrong numbers come before all others.
        doubt = -prediction.confidence - (is_correct is not False)
        is_full = len(self._heap) == _CONTACT_SHEET_SIZE
        if is_full and doubt <= self._heap[0].doubt:
            return
        order = -self.counts[NUMBERS]
        entry = ShownNumber(doubt, order, name, source, rank, prediction, is_correct)
        if is_full:
            heapq.heapreplace(self._heap, entry)
        else:
            heapq.heappush(self._heap, entry)

    @property
    def contact_sheet(self) -> list[ShownNumber]:
        """Numbers to show, wrong ones first, then the least confident ones."""
        return sorted(self._heap, key=lambda entry: entry[:2], reverse=True)

    @property
    def summary(self) -> str:
        """One line with the number of sources, numbers by status, and the accuracy."""
        return number_summary(self.counts, self.unit)

    @property
    def num_files(self) -> int:
        """Number of sources."""
        return self.counts[SOURCES]

    @property
    def num_unreadable(self) -> int:
        """Number of sources that could not be decoded."""
        return self.counts["unreadable"]

    @property
    def num_labeled(self) -> int:
        """Number of labeled numbers."""
        return self.counts[LABELED]


def count_number(prediction: str, status: str, label: str) -> Counter[str]:
    """Counts one row.

    Args:
      prediction: the number, empty without any.
      status: its status.
      label: the true number, empty if it is unknown.
    """
    counts = Counter({status: 1, NUMBERS: int(bool(prediction))})
    if label and status != "unreadable":
        counts[LABELED] = 1
        counts[CORRECT] = int(label == prediction)
        counts[EDITS] = edit_distance(prediction, label)
        counts[LABEL_CHARACTERS] = len(label)
    return counts


def number_summary(counts: Mapping[str, int], unit: str) -> str:
    """Returns one line with the counts, the accuracy and the character error rate.

    Args:
      counts: of `count_number`, and of the sources.
      unit: what a source is, in the plural.

    Example:
      >>> number_summary({"sources": 3, "numbers": 2, "ok": 2, "blank": 1}, "files")
      '3 files, 2 numbers: 2 ok, 1 blank'
    """
    statuses = [f"{counts[s]:,} {s}" for s in STATUSES if counts.get(s, 0)]
    num_numbers = counts.get(NUMBERS, 0)
    text = f"{counts.get(SOURCES, 0):,} {unit}, {num_numbers:,} numbers: "
    text += ", ".join(statuses)
    num_labeled = counts.get(LABELED, 0)
    if num_labeled:
        accuracy = counts[CORRECT] / num_labeled
        error_rate = counts[EDITS] / counts[LABEL_CHARACTERS]
        text += (
            f"; accuracy {accuracy:.2%} of {num_labeled:,} labelled numbers, "
            f"CER {error_rate:.2%}"
        )
    return text

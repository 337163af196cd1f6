"""Statistics of a run: counts by status, confusion, confidence, contact sheet."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnn.image_files.listing import InputFile
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.classifier import Prediction

# Statuses of a row, in the order of the summary.
STATUSES = ("ok", "unsure", "blank", "unreadable")
# Files on the contact sheet of the report plot.
_CONTACT_SHEET_SIZE = 40
# Bins of the histogram of confidence, of equal width in [0, 1].
_CONFIDENCE_BINS = 1000


def summary_line(
    statuses: Mapping[str, int],
    num_correct: int,
    num_labeled: int,
    unit: str = "files",
) -> str:
    """Returns one line with the number of files per status, and the accuracy.

    Args:
      statuses: number of files per status. Counts of anything else are ignored.
      num_correct: number of labeled images with the right prediction.
      num_labeled: number of labeled images. Without any, there is no accuracy.
      unit: what a row is of, in the plural: files, pages or regions.

    Example:
      >>> summary_line({"ok": 3, "blank": 1}, 2, 4)
      '4 files: 3 ok, 1 blank; accuracy 50.00% of 4 labelled images'
    """
    counts = []
    num_files = 0
    for status in STATUSES:
        count = statuses.get(status, 0)
        num_files += count
        if count:
            counts.append(f"{count:,} {status}")
    text = f"{num_files:,} {unit}: " + ", ".join(counts)
    if num_labeled:
        accuracy = num_correct / num_labeled
        text += f"; accuracy {accuracy:.2%} of {num_labeled:,} labelled images"
    return text


class ContactSheetEntry(NamedTuple):
    """File on the contact sheet of the report plot.

    Attributes:
      doubt: priority of the file: higher for wrong or less confident predictions.
      order: tie breaker, which prefers earlier files.
      name: path relative to the input.
      prediction: result of the classifier, without its probabilities.
      is_correct: whether the prediction is the label, or None without a label.
      source: the file, or a page or region of it.
    """

    doubt: float
    order: int
    name: str
    prediction: "Prediction"
    is_correct: bool | None
    source: Source


class RunStatistics:
    """Counts of all rows, in memory that does not depend on the number of rows.

    Attributes:
      class_names: names of the model's classes.
      unit: what a row is of, in the plural: files, pages or regions.
      statuses: number of rows per status.
      confusion: `int (num_classes, num_classes + 1)`, number of labeled images by
        label and prediction. The last column is for images without a prediction.
      confidences: `int (num_classes, 1000)`, histogram of the confidence of each
        predicted class.
    """

    def __init__(self, class_names: Sequence[str], unit: str = "files") -> None:
        """Starts with no rows."""
        self.unit = unit
        num_classes = len(class_names)
        self.class_names = class_names
        self.statuses: Counter[str] = Counter()
        self.confusion = np.zeros((num_classes, num_classes + 1), int)
        self.confidences = np.zeros((num_classes, _CONFIDENCE_BINS), int)
        self._index = {name: index for index, name in enumerate(class_names)}
        self._index[""] = num_classes
        # The first entry of this heap is the next one to drop.
        self._heap: list[ContactSheetEntry] = []

    def add(
        self,
        file: InputFile,
        prediction: "Prediction",
        label: str,
        source: Source | None = None,
    ) -> None:
        """Counts a file, or a page or region of it.

        Args:
          file: the file.
          prediction: result of the classifier.
          label: name of the true class, empty if it is unknown.
          source: the page and region. None is all of the file.
        """
        self.statuses[prediction.status] += 1
        predicted = self._index[prediction.prediction]
        if label and prediction.status != "unreadable":
            actual = self._index[label]
            self.confusion[actual, predicted] += 1
        if prediction.prediction:
            last_bin = _CONFIDENCE_BINS - 1
            confidence_bin = int(_CONFIDENCE_BINS * prediction.confidence)
            confidence_bin = min(confidence_bin, last_bin)
            self.confidences[predicted, confidence_bin] += 1
            self._update_contact_sheet(
                file, prediction, label, source or Source(file.path)
            )

    def _update_contact_sheet(
        self, file: InputFile, prediction: "Prediction", label: str, source: Source
    ) -> None:
        is_correct = label == prediction.prediction if label else None
        # All wrong predictions come before all others.
        doubt = -prediction.confidence
        if is_correct is not False:
            doubt -= 1
        is_full = len(self._heap) == _CONTACT_SHEET_SIZE
        if is_full and doubt <= self._heap[0].doubt:
            return
        entry = ContactSheetEntry(
            doubt=doubt,
            order=-self.num_files,
            name=file.name,
            prediction=_drop_arrays(prediction),
            is_correct=is_correct,
            source=source,
        )
        if is_full:
            heapq.heapreplace(self._heap, entry)
        else:
            heapq.heappush(self._heap, entry)

    @property
    def summary(self) -> str:
        """One line with the number of files per status, and the accuracy."""
        return summary_line(
            self.statuses, self.num_correct, self.num_labeled, self.unit
        )

    @property
    def contact_sheet(self) -> list[ContactSheetEntry]:
        """Files to show, wrong predictions first, then the least confident ones."""
        return sorted(self._heap, key=lambda entry: entry[:2], reverse=True)

    @property
    def num_files(self) -> int:
        """Number of files."""
        return self.statuses.total()

    @property
    def num_unreadable(self) -> int:
        """Number of files that could not be decoded."""
        return self.statuses["unreadable"]

    @property
    def num_labeled(self) -> int:
        """Number of labeled images."""
        return int(self.confusion.sum())

    @property
    def num_correct(self) -> int:
        """Number of labeled images with the right prediction."""
        return int(np.trace(self.confusion))


def _drop_arrays(prediction: "Prediction") -> "Prediction":
    """Copies the image and drops the probabilities, so that the batch can be freed."""
    if prediction.image is None:
        return prediction
    image = prediction.image.copy()
    return prediction._replace(image=image, probabilities=None)

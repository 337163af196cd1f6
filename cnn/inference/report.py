"""What a run of reading amounts to: counts, the plot, and a picture of each file."""

import contextlib
import heapq
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from cnn import parallel
from cnn.inference.listing import InputFile
from cnn.preprocessing import decode, pipeline

# How many pictures the plot shows.
_CONTACT_SHEET_SIZE = 40


# What may become of a file, in the order in which it is told.
STATUSES = ("ok", "unsure", "blank", "unreadable")


def summary_line(statuses: Mapping[str, int], right: int, labelled: int) -> str:
    """Says how many files there were, of each status, and how many of those labelled were read right.

    Example:
      >>> sentence({"ok": 3, "blank": 1}, 2, 4)
      '4 files: 3 ok, 1 blank; accuracy 50.00% of 4 labelled images'
    """
    counts = {status: statuses[status] for status in STATUSES if statuses.get(status)}
    text = f"{sum(counts.values()):,} files: " + ", ".join(
        f"{n:,} {status}" for status, n in counts.items()
    )
    return text + (
        f"; accuracy {right / labelled:.2%} of {labelled:,} labelled images"
        if labelled
        else ""
    )


class RunStatistics:
    """What the plot and the closing line need to remember of all rows; no more of a million than of ten.

    Attributes:
      statuses: how many rows of each status.
      confusion: `int (num_classes, num_classes + 1)`, labelled images by label and by prediction, the last
        column for none.
      confidences: `int (num_classes, 1000)`, how many predictions of each class have which confidence.
      sheet: pictures for the plot, wrong or least sure first.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        """Starts to count."""
        self.class_names = class_names
        self._number = {name: number for number, name in enumerate(class_names)} | {
            "": len(class_names)
        }
        self.statuses: Counter[str] = Counter()
        self.confusion = np.zeros((len(class_names), len(class_names) + 1), int)
        self.confidences = np.zeros((len(class_names), 1000), int)
        self._heap: list[tuple[float, int, str, Any, str, bool | None]] = []

    def add(self, file: InputFile, reading: Any, label: str) -> None:
        """Counts a row."""
        self.statuses[reading.status] += 1
        guess = self._number[reading.prediction]
        if label and reading.status != "unreadable":
            self.confusion[self._number[label], guess] += 1
        if reading.prediction:
            self.confidences[guess, min(int(1000 * reading.confidence), 999)] += 1
            right = label == reading.prediction if label else None
            # The heap's first is the one that another, more doubtful, will push out.
            doubt = -reading.confidence - (0 if right is False else 1)
            if len(self._heap) < _CONTACT_SHEET_SIZE or doubt > self._heap[0][0]:
                self._remember(file, reading, doubt, right)

    def _remember(
        self, file: InputFile, reading: Any, doubt: float, right: bool | None
    ) -> None:
        name = file.name if len(file.name) <= 18 else "…" + file.name[-17:]
        doubtful = "?" if reading.status == "unsure" else ""
        caption = f"{_printable(name)}\nread as {reading.prediction}{doubtful}, {reading.confidence:.1%}"
        if (
            reading.image is not None
        ):  # A copy, so that the others of its batch can be forgotten.
            reading = reading._replace(image=reading.image.copy(), probabilities=None)
        item = (doubt, -sum(self.statuses.values()), file.path, reading, caption, right)
        (
            heapq.heappush
            if len(self._heap) < _CONTACT_SHEET_SIZE
            else heapq.heappushpop
        )(self._heap, item)

    @property
    def sheet(self) -> list[tuple[str, Any, str, bool | None]]:
        """Paths, readings, captions, and whether they were right, None where that is not known."""
        return [
            item[2:]
            for item in sorted(self._heap, key=lambda item: item[:2], reverse=True)
        ]

    @property
    def labelled(self) -> int:
        """How many images are labelled."""
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        """How many labelled images were read right."""
        return int(np.trace(self.confusion))


Call = Callable[..., None]


@contextlib.contextmanager
def plot_process() -> Iterator[Call]:
    """Starts a process that imports Matplotlib while files are read, and ends it with the `with`.

    Yields:
      A function of the name of a function of `cnn.plots` and its arguments, which calls it there.
    """
    with ProcessPoolExecutor(
        1, parallel.mp_context(), initializer=parallel.exit_with_parent
    ) as executor:
        executor.submit(importlib.import_module, "cnn.plots")

        def call(name: str, *arguments: Any) -> None:
            try:
                executor.submit(_call_plot, name, arguments).result()
            except (
                BrokenProcessPool
            ):  # Somebody has killed it; what it was to do is done here.
                _call_plot(name, arguments)

        yield call


def _call_plot(name: str, arguments: Sequence[Any]) -> None:
    from cnn import plots

    getattr(plots, name)(*arguments)


def save_report_plot(
    tally: RunStatistics, title: str, classifier: Any, path: Path, call: Call
) -> None:
    """Draws the least sure pictures, and the confusion matrix or how sure the network was.

    Args:
      tally: of all rows.
      title: of the plot.
      classifier: with which the files were read; those that a stopped run has read are read again.
      path: file to write.
      call: what `plotter` yields.
    """
    sheet, blank = tally.sheet, np.zeros(pipeline.IMAGE_SHAPE, np.float32)
    seen = [
        r if r.image is not None else classifier.predict_files(name)[0]
        for name, r, *_ in sheet
    ]
    originals = [
        _explain_or_blank(reading.path, reading, classifier.preprocessing).original
        for reading in seen
    ]
    pictures = np.array(
        [blank if reading.image is None else reading.image for reading in seen]
    )
    captions = [(caption, right) for *_, caption, right in sheet]
    if tally.labelled:
        call(
            "labelled_readings",
            tally.confusion,
            tally.class_names,
            originals,
            pictures,
            captions,
            title,
            path,
        )
    else:
        texts = [text for text, _ in captions]
        confidences = dict(zip(tally.class_names, tally.confidences, strict=True))
        call("readings", originals, pictures, texts, confidences, title, path)


def _explain_or_blank(path: str, reading: Any, preprocessing: str) -> pipeline.Overlay:
    try:
        return pipeline.explain(path, preprocessing, reading.candidate)
    except decode.UnreadableImageError:  # It was never a picture, or is none any more.
        return pipeline.Overlay(
            np.full((28, 28, 3), 255, np.uint8), np.zeros((28, 28), np.float32)
        )


def save_visualization(
    file: InputFile, reading: Any, folder: Path, preprocessing: str
) -> None:
    """Draws a file, what was found in it, and what the network saw, to `folder/NAME.png`."""
    from cnn import plots

    path = folder / (file.name + ".png")
    original, found = _explain_or_blank(file.path, reading, preprocessing)
    picture = (
        reading.image
        if reading.image is not None
        else np.zeros(pipeline.IMAGE_SHAPE, np.float32)
    )
    read = (
        f"read as {reading.prediction}, {reading.confidence:.1%}, "
        if reading.prediction
        else ""
    )
    detail = f" ({reading.detail})" if reading.detail else ""
    caption = f"{_printable(file.name)}: {read}{reading.status}{detail}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        plots.plot_preprocessing(original, found, picture, caption, path)
    except (
        OSError
    ) as error:  # The row is what counts; a name may be too long with its ending.
        print(
            f"warning: {_printable(str(path))}: not drawn: {error.strerror}",
            file=sys.stderr,
        )


def _printable(name: str) -> str:
    text = name.encode(errors="replace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in text)

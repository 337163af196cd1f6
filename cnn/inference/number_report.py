"""Plots of a run that reads numbers: one report plot, and one picture per source."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cnn.config import InferConfig
from cnn.inference.number_pictures import Picture, describe_characters, open_picture
from cnn.inference.number_statistics import NumberStatistics, ShownNumber
from cnn.inference.report import (
    describe_part,
    make_printable,
    visualization_path,
)
from cnn.inference.source_predictions import SourceResult
from cnn.plot_process import CallPlot, PlotError
from cnn.preprocessing.decode import UnreadableImageError
from cnn.preprocessing.pipeline import preprocess_sources
from cnn.preprocessing.source import ReadOptions, Source

if TYPE_CHECKING:
    from cnn.classifier import Classifier
    from cnn.number_prediction import NumberPrediction

# Characters of a file name in the caption of its picture on the contact sheet.
_MAX_CAPTION_NAME = 30
# Longest side of the picture of a source for `--debug-dir`, in pixels.
_DEBUG_SIDE = 2000


def save_number_report(
    statistics: NumberStatistics,
    title: str,
    classifier: "Classifier",
    config: InferConfig,
    path: Path,
    call_plot: CallPlot,
) -> bool:
    """Draws the least confident numbers, and accuracy by length or confidence.

    Prints a warning if the plot cannot be drawn. The rows are whole nevertheless.

    Args:
      statistics: counts of all rows.
      title: title of the plot.
      classifier: reads those numbers again that an interrupted run has read.
      config: settings of the run.
      path: PNG file to write.
      call_plot: function that `plot_process` yields.

    Returns:
      Whether the plot was drawn.
    """
    try:
        call_plot(
            "plot_numbers",
            _make_pictures(statistics.contact_sheet, classifier, config),
            statistics.confidences,
            statistics.correct_confidences,
            dict(statistics.by_length),
            title,
            path=path,
        )
    except (OSError, PlotError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"warning: {path}: not drawn: {reason}", file=sys.stderr)
        return False
    return True


def _make_pictures(
    entries: Sequence[ShownNumber], classifier: "Classifier", config: InferConfig
) -> list[Any]:
    """Makes the fields of `NumberPicture` of each entry, and opens each source once."""
    places: dict[Source, list[int]] = {}
    for place, entry in enumerate(entries):
        places.setdefault(entry.source, []).append(place)
    pictures: dict[int, Any] = {}
    for source, of_source in places.items():
        picture = _open_or_blank(source)
        shown = [entries[place] for place in of_source]
        numbers = _complete(shown, classifier, config)
        for place, entry, number in zip(of_source, shown, numbers, strict=True):
            pictures[place] = _make_picture(entry, number, picture)
    return [pictures[place] for place in range(len(entries))]


def _make_picture(
    entry: ShownNumber, number: "NumberPrediction", picture: Picture
) -> tuple[np.ndarray, Any, str, bool | None]:
    cropped = picture if number.box is None else picture.crop(number.box)
    drawn = describe_characters(number, cropped)
    return np.asarray(cropped.image), drawn, _make_caption(entry), entry.is_correct


def _open_or_blank(source: Source) -> Picture:
    """Opens a source, or makes a white picture if it cannot be read any more."""
    try:
        return open_picture(source)
    except (UnreadableImageError, OSError):
        white = Image.new("RGB", (60, 28), "white")
        return Picture(white, np.zeros(2), np.ones(2))


def _complete(
    entries: Sequence[ShownNumber], classifier: "Classifier", config: InferConfig
) -> list["NumberPrediction"]:
    """Returns the numbers with their characters, which a resumed row does not have."""
    numbers = [entry.prediction for entry in entries]
    if all(number.characters for number in numbers):
        return numbers
    options = ReadOptions(classifier.preprocessing, config.layout)
    source = entries[0].source
    files = preprocess_sources([source], options)
    (found,) = classifier.classify_lines([source], files, config.number_pattern)
    return [
        found[entry.rank] if entry.rank < len(found) else entry.prediction
        for entry in entries
    ]


def _make_caption(entry: ShownNumber) -> str:
    name = entry.name
    if len(name) > _MAX_CAPTION_NAME:
        name = "…" + name[1 - _MAX_CAPTION_NAME :]
    name = make_printable(name + describe_part(entry.source))
    number = entry.prediction
    mark = "?" if number.status == "unsure" else ""
    return f"{name}\nread as {number.prediction}{mark}, {number.confidence:.1%}"


def save_number_visualization(result: SourceResult, folder: Path) -> None:
    """Draws a source with the boxes and classes of its characters to `folder/NAME.png`.

    Prints a warning if the image cannot be written, for example because its name is
    too long.
    """
    path = visualization_path(folder, result.file.name, result.source)
    try:
        picture = open_picture(result.source, _DEBUG_SIDE)
    except UnreadableImageError:
        picture = Picture(Image.new("RGB", (280, 60), "white"), np.zeros(2), np.ones(2))
    numbers: list[NumberPrediction] = result.predictions  # type: ignore[assignment]
    try:
        from cnn import plots

        path.parent.mkdir(parents=True, exist_ok=True)
        plots.plot_number_boxes(
            np.asarray(picture.image),
            [_describe_number(number, picture) for number in numbers],
            _describe_result(result, numbers),
            path,
        )
    except (ImportError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        name = make_printable(str(path))
        print(f"warning: {name}: not drawn: {reason}", file=sys.stderr)


def _describe_number(number: "NumberPrediction", picture: Picture) -> Any:
    remark = "" if number.status == "ok" else f"{number.confidence:.0%}"
    return describe_characters(number, picture, remark)


def _describe_result(
    result: SourceResult, numbers: Sequence["NumberPrediction"]
) -> str:
    name = make_printable(result.file.name + describe_part(result.source))
    first = numbers[0]
    remark = f" ({first.detail})" if first.detail else ""
    if not first.prediction:
        return f"{name}: {first.status}{remark}"
    if len(numbers) > 1:
        num_unsure = sum(number.status != "ok" for number in numbers)
        return f"{name}: {len(numbers)} numbers, {num_unsure} unsure"
    text = f"read as {first.prediction}, {first.confidence:.1%}, {first.status}"
    return f"{name}: {text}{remark}"

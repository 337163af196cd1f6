"""Figures of an inference run: predictions, accuracy and confidence per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from cnn.plots.class_names import draw_row_names, find_widest, shorten_names
from cnn.plots.confusion import draw_confusion_matrix, keep_occurring
from cnn.plots.figures import (
    BLUE,
    GRAY,
    GREEN,
    RED,
    Caption,
    count_rows,
    draw_contact_sheet,
    format_as_percent,
    save_figure,
)
from cnn.plots.settings import with_default_settings

# In inches: a cell of the contact sheet, the narrowest figure, and the bars beside the
# confusion matrix.
_CELL_WIDTH = 2.6
_MIN_WIDTH = 13.0
_BARS_WIDTH = 5.8
# In inches: a row of a chart, a cell of the matrix, the texts above and below them, and
# the highest chart.
_ROW_HEIGHT = 0.2
_MIN_CHART_HEIGHT = 4.2
_MATRIX_CELL = 0.3
_MIN_MATRIX_HEIGHT = 6.2
_COLOR_BAR_WIDTH = 1.0
_CHART_MARGIN = 1.2
_MAX_CHART_HEIGHT = 13.0
# Space around the parts of a figure, in inches.
_LAYOUT_PAD = 0.1
_CORRECTNESS_COLORS = {True: GREEN, False: RED, None: "black"}
# Above this many predictions of a class, dots would hide one another.
_MAX_DOTS = 200
# Quantiles of a box plot, under the names of `Axes.bxp`.
_BOX_QUANTILES = {"whislo": 0.01, "q1": 0.25, "med": 0.5, "q3": 0.75, "whishi": 0.99}


@with_default_settings
def plot_predictions(
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[str],
    confidences: Mapping[str, np.ndarray],
    title: str,
    path: Path | BinaryIO,
) -> None:
    """Plots example files and the distribution of confidence per predicted class.

    Args:
      originals: N images `uint8 (height, width, 3)`, the files.
      images: `float32 (N, 28, 28, 1)`, the network's input.
      captions: N texts of one or two lines.
      confidences: for each class name, a histogram `int (num_bins,)` of the confidence
        of its predictions, in bins of equal width over [0, 1].
      title: title of the figure.
      path: PNG file to write, or an open file.
    """
    heading = "Files, network inputs and predictions, least confident first"
    sheet = [Caption(text, "black") for text in captions]
    predicted = {name: bins for name, bins in confidences.items() if bins.any()}
    height = _chart_height(len(predicted), _ROW_HEIGHT, _MIN_CHART_HEIGHT)
    size = (_MIN_WIDTH, height)
    figure, bottom = _start_figure(title, heading, originals, images, sheet, size)
    _draw_class_confidence(bottom.subplots(), predicted, height)
    save_figure(figure, path)


@with_default_settings
def plot_labeled_predictions(
    confusion: np.ndarray,
    class_names: Sequence[str],
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[tuple[str, bool | None]],
    title: str,
    path: Path | BinaryIO,
) -> None:
    """Plots example files, accuracy per class and confusion, of labeled files.

    Args:
      confusion: `int (num_classes, num_classes + 1)`, files by true and by predicted
        class. The last column counts files without a prediction, which are errors.
      class_names: class names, in the order of the labels.
      originals: N images `uint8 (height, width, 3)`, the files.
      images: `float32 (N, 28, 28, 1)`, the network's input.
      captions: N pairs of a text of one or two lines, and whether the prediction is
        correct (None: unknown).
      title: title of the figure.
      path: PNG file to write, or an open file.
    """
    heading = (
        "Files, network inputs and predictions: wrong ones first, "
        "then the least confident"
    )
    sheet = []
    for text, is_correct in captions:
        color = _CORRECTNESS_COLORS[is_correct]
        sheet.append(Caption(text, color))
    matrix, names = keep_occurring(confusion[:, :-1], class_names)
    bars_height = _chart_height(len(names), _MATRIX_CELL, _MIN_MATRIX_HEIGHT)
    # Names are below the matrix, too, on their side.
    name_width = find_widest(shorten_names(names))
    height = bars_height + name_width
    matrix_width = max(_MIN_WIDTH - _BARS_WIDTH, height + _COLOR_BAR_WIDTH)
    size = (_BARS_WIDTH + name_width + matrix_width, height)
    figure, bottom = _start_figure(title, heading, originals, images, sheet, size)
    # Matplotlib lays out names on their side a little too low.
    figure.set_layout_engine("constrained", h_pad=_LAYOUT_PAD)
    left, right = bottom.subplots(1, 2, width_ratios=[_BARS_WIDTH, matrix_width])
    _draw_class_accuracy(left, confusion, class_names, bars_height)
    draw_confusion_matrix(right, matrix, names, (matrix_width, height))
    save_figure(figure, path)


def _chart_height(num_rows: int, row_height: float, min_height: float) -> float:
    """Returns the height of a chart with its texts, in inches."""
    height = max(min_height, num_rows * row_height + _CHART_MARGIN)
    return min(height, _MAX_CHART_HEIGHT)


def _start_figure(
    title: str,
    heading: str,
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[Caption],
    size: tuple[float, float],
) -> tuple[Figure, SubFigure]:
    """Draws title and contact sheet.

    Args:
      title: title of the figure.
      heading: title of the contact sheet.
      originals: N images, the files.
      images: N images, the network's input.
      captions: N of them.
      size: width of the figure and height of its lower half, in inches.

    Returns:
      The figure and its empty lower half.
    """
    width, bottom_height = size
    columns = int(width / _CELL_WIDTH)
    num_rows = count_rows(len(captions), columns)
    sheet_height = 1.0 + 1.6 * num_rows
    height = bottom_height + sheet_height
    figure = Figure(figsize=(width, height), layout="constrained")
    halves: Any = figure.subfigures(
        nrows=2,
        ncols=1,
        height_ratios=[sheet_height, bottom_height],
    )
    top, bottom = halves
    figure.suptitle(title, fontweight="bold")
    top.suptitle(heading, fontsize=11)
    draw_contact_sheet(top, images, captions, columns, originals)
    return figure, bottom


def _draw_class_accuracy(
    axes: Axes, confusion: np.ndarray, class_names: Sequence[str], height: float
) -> None:
    """Draws one bar per class that has labeled files."""
    totals = confusion.sum(1)
    present = np.flatnonzero(totals).tolist()
    correct = np.diagonal(confusion)
    accuracy = correct[present] / totals[present]
    axes.barh(range(len(present)), accuracy, color=BLUE)
    names = [class_names[label] for label in present]
    axes_height = height - _CHART_MARGIN
    spacing = draw_row_names(axes, "Accuracy by class", names, axes_height)
    if spacing.step == 1:  # Other bars are lower than a text.
        for row, label in enumerate(present):
            total = totals[label]
            _draw_bar_text(axes, row, accuracy[row], total, spacing.font_size)
    axes.set_xlabel("accuracy (%)")
    axes.set_ylabel("truth")
    axes.set_xlim(0, 1)
    format_as_percent(axes.xaxis)


def _draw_bar_text(
    axes: Axes, row: int, accuracy: float, total: int, font_size: float
) -> None:
    """Writes accuracy and total into the end of a bar, or beside a short bar."""
    fits = accuracy > 0.5
    axes.text(
        accuracy,
        row,
        f" {accuracy:.1%} of {total:,} ",
        va="center",
        ha="right" if fits else "left",
        color="white" if fits else GRAY,
        fontsize=font_size,
    )


def _draw_class_confidence(
    axes: Axes, histograms: Mapping[str, np.ndarray], height: float
) -> None:
    """Draws each class as a row of dots, or as a box plot where there are many."""
    tick_labels: list[str] = []
    rng = np.random.default_rng(0)
    for row, (name, counts) in enumerate(histograms.items()):
        total = int(counts.sum())
        tick_labels.append(f"{name}  ({total:,})")
        num_bins = len(counts)
        centers = (np.arange(num_bins) + 0.5) / num_bins
        if total > _MAX_DOTS:
            _draw_box(axes, row, centers, counts)
        else:
            confidences = np.repeat(centers, counts)
            _draw_dots(axes, row, confidences, rng)
    title = "Confidence by predicted class"
    draw_row_names(axes, title, tick_labels, height - _CHART_MARGIN)
    axes.set_xlabel("confidence (%)")
    axes.set_ylabel("prediction (how many)")
    axes.set_xlim(0, 1.02)
    format_as_percent(axes.xaxis)
    axes.grid(axis="x", alpha=0.3)


def _draw_dots(
    axes: Axes, row: int, values: np.ndarray, rng: np.random.Generator
) -> None:
    """Draws one dot per value, moved up or down at random so that equal ones show."""
    jitter = rng.uniform(-0.25, 0.25, len(values))
    axes.plot(values, row + jitter, ".", color=BLUE, alpha=0.6)


def _draw_box(axes: Axes, row: int, values: np.ndarray, counts: np.ndarray) -> None:
    """Draws the box plot of a weighted sample.

    Args:
      axes: to draw in.
      row: vertical position.
      values: `float (N,)`, ascending.
      counts: `int (N,)`, how often each value occurs.
    """
    total = counts.sum()
    cumulative = np.cumsum(counts) / total
    statistics = {}
    for name, quantile in _BOX_QUANTILES.items():
        index = np.searchsorted(cumulative, quantile)
        statistics[name] = float(values[index])
    axes.bxp(
        [statistics],
        positions=[row],
        orientation="horizontal",
        showfliers=False,
    )

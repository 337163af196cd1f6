"""Figures of an inference run: predictions, accuracy and confidence per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from cnn.plots.figures import (
    BLUE,
    GRAY,
    GREEN,
    RED,
    Caption,
    count_rows,
    draw_confusion_matrix,
    draw_contact_sheet,
    format_as_percent,
    save_figure,
)
from cnn.plots.settings import with_default_settings

_COLUMNS = 5
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
    figure, bottom = _start_figure(title, heading, originals, images, sheet, 4.2)
    _draw_class_confidence(bottom.subplots(), confidences)
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
    figure, bottom = _start_figure(title, heading, originals, images, sheet, 6.2)
    left, right = bottom.subplots(1, 2, width_ratios=[1, 1.25])
    _draw_class_accuracy(left, confusion, class_names)
    draw_confusion_matrix(right, confusion[:, :-1], class_names)
    save_figure(figure, path)


def _start_figure(
    title: str,
    heading: str,
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[Caption],
    bottom_height: float,
) -> tuple[Figure, SubFigure]:
    """Draws title and contact sheet. Returns the figure and its empty lower half."""
    num_rows = count_rows(len(captions), _COLUMNS)
    sheet_height = 1.0 + 1.6 * num_rows
    height = bottom_height + sheet_height
    figure = Figure(figsize=(13, height), layout="constrained")
    halves: Any = figure.subfigures(
        nrows=2,
        ncols=1,
        height_ratios=[sheet_height, bottom_height],
    )
    top, bottom = halves
    figure.suptitle(title, fontweight="bold")
    top.suptitle(heading, fontsize=11)
    draw_contact_sheet(top, images, captions, _COLUMNS, originals)
    return figure, bottom


def _draw_class_accuracy(
    axes: Axes, confusion: np.ndarray, class_names: Sequence[str]
) -> None:
    """Draws one bar per class that has labeled files."""
    totals = confusion.sum(1)
    present = np.flatnonzero(totals).tolist()
    correct = np.diagonal(confusion)
    accuracy = correct[present] / totals[present]
    names = [class_names[label] for label in present]
    rows = range(len(present))
    axes.barh(rows, accuracy, color=BLUE)
    axes.set_yticks(rows, names)
    for row, label in enumerate(present):
        _draw_bar_text(axes, row, accuracy[row], totals[label])
    axes.invert_yaxis()
    axes.set_title("Accuracy by class")
    axes.set_xlabel("accuracy (%)")
    axes.set_ylabel("truth")
    axes.set_xlim(0, 1)
    format_as_percent(axes.xaxis)


def _draw_bar_text(axes: Axes, row: int, accuracy: float, total: int) -> None:
    """Writes accuracy and total into the end of a bar, or beside a short bar."""
    fits = accuracy > 0.5
    axes.text(
        accuracy,
        row,
        f" {accuracy:.1%} of {total:,} ",
        va="center",
        ha="right" if fits else "left",
        color="white" if fits else GRAY,
    )


def _draw_class_confidence(axes: Axes, histograms: Mapping[str, np.ndarray]) -> None:
    """Draws each class as a row of dots, or as a box plot where there are many."""
    tick_labels: list[str] = []
    rng = np.random.default_rng(0)
    for name, counts in histograms.items():
        total = int(counts.sum())
        if total == 0:
            continue
        row = len(tick_labels)
        tick_labels.append(f"{name}  ({total:,})")
        num_bins = len(counts)
        centers = (np.arange(num_bins) + 0.5) / num_bins
        if total > _MAX_DOTS:
            _draw_box(axes, row, centers, counts)
        else:
            confidences = np.repeat(centers, counts)
            _draw_dots(axes, row, confidences, rng)
    axes.set_yticks(range(len(tick_labels)), tick_labels)
    axes.invert_yaxis()
    axes.set_title("Confidence by predicted class")
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

"""Figures of an inference run: predictions, accuracy per class, one file's path."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

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

_COLUMNS = 5
_CORRECTNESS_COLORS = {True: GREEN, False: RED, None: "black"}
# Above this many predictions of a class, dots would hide one another.
_MAX_DOTS = 200
# Quantiles of a box plot, under the names of `Axes.bxp`.
_BOX_QUANTILES = {"whislo": 0.01, "q1": 0.25, "med": 0.5, "q3": 0.75, "whishi": 0.99}
# Foreground above this strength counts as ink for the box around the character.
_MIN_BOXED_INK = 0.2


def plot_predictions(
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[str],
    confidences: Mapping[str, np.ndarray],
    title: str,
    path: Path,
) -> None:
    """Plots example files and the distribution of confidence per predicted class.

    Args:
      originals: N images `uint8 (height, width, 3)`, the files.
      images: `float32 (N, 28, 28, 1)`, the network's input.
      captions: N texts of one or two lines.
      confidences: for each class name, a histogram `int (num_bins,)` of the confidence
        of its predictions, in bins of equal width over [0, 1].
      title: of the figure.
      path: of the PNG to write.
    """
    heading = "The files, what the network saw and read, least sure first"
    sheet = [Caption(text, "black") for text in captions]
    figure, bottom = _start_figure(title, heading, originals, images, sheet, 4.2)
    _draw_class_confidence(bottom.subplots(), confidences)
    save_figure(figure, path)


def plot_labeled_predictions(
    confusion: np.ndarray,
    class_names: Sequence[str],
    originals: Sequence[np.ndarray],
    images: np.ndarray,
    captions: Sequence[tuple[str, bool | None]],
    title: str,
    path: Path,
) -> None:
    """Plots example files, accuracy per class and confusion, of labeled files.

    Args:
      confusion: `int (num_classes, num_classes + 1)`, files by true and by predicted
        class. The last column counts files without a prediction, which are errors.
      class_names: of the labels.
      originals: N images `uint8 (height, width, 3)`, the files.
      images: `float32 (N, 28, 28, 1)`, the network's input.
      captions: N pairs of a text of one or two lines, and whether the prediction is
        correct (None: unknown).
      title: of the figure.
      path: of the PNG to write.
    """
    heading = (
        "The files, what the network saw and read: wrong ones first, "
        "then the least sure"
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
    present = np.flatnonzero(totals)
    correct = np.diagonal(confusion)
    accuracy = correct[present] / totals[present]
    names = [class_names[i] for i in present]
    rows = range(len(present))
    axes.barh(rows, accuracy, color=BLUE)
    axes.set_yticks(rows, names)
    for row, value in enumerate(accuracy):
        total = totals[present[row]]
        _draw_bar_text(axes, row, value, f" {value:.1%} of {total:,} ")
    axes.invert_yaxis()
    axes.set_title("Accuracy by class")
    axes.set_xlabel("accuracy (%)")
    axes.set_ylabel("truth")
    axes.set_xlim(0, 1)
    format_as_percent(axes.xaxis)


def _draw_bar_text(axes: Axes, row: int, value: float, text: str) -> None:
    """Writes a text into the end of a bar if it fits, otherwise beside the bar."""
    fits = value > 0.5
    axes.text(
        value,
        row,
        text,
        va="center",
        ha="right" if fits else "left",
        color="white" if fits else GRAY,
    )


def _draw_class_confidence(axes: Axes, histograms: Mapping[str, np.ndarray]) -> None:
    """Draws each class as a row of dots, or as a box plot where there are many."""
    tick_labels = []
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


def plot_preprocessing(
    original: np.ndarray,
    foreground: np.ndarray,
    image: np.ndarray,
    caption: str,
    path: Path,
) -> None:
    """Plots a file, its segmented ink and the network's input side by side.

    Args:
      original: `uint8 (height, width, 3)`, the file.
      foreground: `float32 (height, width)`, the character's ink, in [0, 1].
      image: `float32 (28, 28, 1)`, the network's input. All 0 where no ink was found.
      caption: of the figure.
      path: of the PNG to write.
    """
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    figure.suptitle(caption, fontsize=11, parse_math=False)
    left, middle, right = figure.subplots(1, 3)
    left.imshow(original)
    left.set_title("the picture")
    middle.imshow(original)
    middle.imshow(_tint_red(foreground))
    _draw_bounding_box(middle, foreground)
    middle.set_title("what was found")
    right.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    right.set_title("what the network saw")
    for axes in (left, middle, right):
        axes.set_axis_off()
    save_figure(figure, path)


def _tint_red(foreground: np.ndarray) -> np.ndarray:
    """Returns red RGBA `float32 (height, width, 4)` with the ink as opacity."""
    height, width = foreground.shape
    red = np.array([0.85, 0.1, 0.1], np.float32)
    rgb = np.broadcast_to(red, (height, width, 3))
    alpha = 0.8 * foreground[..., None]
    return np.concatenate([rgb, alpha], axis=-1)


def _draw_bounding_box(axes: Axes, foreground: np.ndarray) -> None:
    """Draws the bounding box of the ink, if there is ink."""
    ink = foreground > _MIN_BOXED_INK
    rows = np.flatnonzero(ink.any(1))
    columns = np.flatnonzero(ink.any(0))
    if not ink.any():
        return
    left = columns[0] - 1
    top = rows[0] - 1
    width = columns[-1] - left + 1
    height = rows[-1] - top + 1
    box = Rectangle(
        (left, top),
        width,
        height,
        fill=False,
        color=BLUE,
        linewidth=1.5,
    )
    axes.add_patch(box)

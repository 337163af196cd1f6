"""Figures of numbers: pictures with the box and the class of each character."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from cnn.plots.figures import (
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    RED,
    count_rows,
    format_as_percent,
    save_figure,
)
from cnn.plots.settings import with_default_settings

_COLUMNS = 4
# Height of a cell of the contact sheet, and of the picture in it, in widths of a cell.
_CELL_HEIGHT = 0.62
_PICTURE_HEIGHT = 0.38
_PICTURE_WIDTH = 0.94
# Room for characters above the picture, in widths of a cell.
_CAPTION_GAP = 0.06
_WIDTH = 13.0
_CORRECTNESS_COLORS = {True: GREEN, False: RED, None: "black"}
# Longest side of the picture of a file, in inches, and its pixels in an inch.
_MIN_SIDE = 7.0
_MAX_SIDE = 16.0
_PIXELS_PER_INCH = 120
# Smallest width of its figure, in inches, which its title needs.
_MIN_WIDTH = 6.0
_POINTS_PER_INCH = 72
# Size of the characters over their boxes, in points and relative to the boxes.
_MIN_FONT_SIZE = 7.0
_MAX_FONT_SIZE = 26.0
_RELATIVE_FONT_SIZE = 0.6
_SHEET_FONT_SIZE = 9.0
# Above this many numbers, the histogram's smallest bars need a logarithmic scale.
_MAX_LINEAR_COUNT = 50
# Room above the highest bar, for the legend, relative to the bar.
_HEADROOM = 1.25
_LOG_HEADROOM = 5


class DrawnNumber(NamedTuple):
    """A number in a picture.

    Attributes:
      boxes: `float (N, 4)`, left, top, right and bottom of each character, in pixels of
        the picture.
      texts: its N characters.
      is_sure: whether its status is `ok`.
      remark: a text at its end, or empty.
    """

    boxes: np.ndarray
    texts: Sequence[str]
    is_sure: bool
    remark: str = ""


class NumberPicture(NamedTuple):
    """A picture of the contact sheet.

    Attributes:
      image: `uint8 (height, width, 3)`.
      number: what was read in it.
      caption: text of one or two lines.
      is_correct: whether it is the label, or None without a label.
    """

    image: np.ndarray
    number: DrawnNumber
    caption: str
    is_correct: bool | None


@with_default_settings
def plot_numbers(
    pictures: Sequence[Any],
    confidences: np.ndarray,
    correct_confidences: np.ndarray,
    by_length: Mapping[int, tuple[int, int]],
    title: str,
    path: Path | BinaryIO,
) -> None:
    """Plots pictures of numbers with their characters, and the confidence.

    Args:
      pictures: fields of `NumberPicture`, of the numbers to show.
      confidences: `int (num_bins,)`, histogram of the confidence of all numbers, in
        bins of equal width over [0, 1].
      correct_confidences: the same of those that are their label.
      by_length: how many labeled numbers have a length, and how many of them were read
        right. Empty without labels.
      title: title of the figure.
      path: PNG file to write, or an open file.
    """
    num_rows = count_rows(len(pictures), _COLUMNS)
    sheet_height = 0.4 + _WIDTH / _COLUMNS * _CELL_HEIGHT * num_rows
    bottom_height = 3.8
    size = (_WIDTH, sheet_height + bottom_height)
    figure = Figure(figsize=size, layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[sheet_height, bottom_height])
    top, bottom = halves
    figure.suptitle(title, fontweight="bold")
    first = "wrong ones first, then " if by_length else ""
    top.suptitle(
        f"Numbers as they were read, {first}least confident first", fontsize=11
    )
    _draw_sheet(top.subplots(), [_to_picture(*fields) for fields in pictures])
    if by_length:
        left, right = bottom.subplots(1, 2)
        _draw_accuracy_by_length(left, by_length)
        _draw_confidence(right, confidences, correct_confidences)
    else:
        _draw_confidence(bottom.subplots(), confidences, None)
    save_figure(figure, path)


@with_default_settings
def plot_number_boxes(
    image: np.ndarray, numbers: Sequence[Any], caption: str, path: Path | BinaryIO
) -> None:
    """Plots a picture, with the box and the class of each character over it.

    Args:
      image: `uint8 (height, width, 3)`.
      numbers: fields of `DrawnNumber`, of the numbers in it.
      caption: title of the figure.
      path: PNG file to write, or an open file.
    """
    height, width = image.shape[:2]
    side = np.clip(max(height, width) / _PIXELS_PER_INCH, _MIN_SIDE, _MAX_SIDE)
    scale = float(side) / max(height, width)
    shown_width = max(scale * width, _MIN_WIDTH)
    shown_height = scale * height + 0.6
    figure = Figure(figsize=(shown_width, shown_height), layout="constrained")
    figure.suptitle(caption, fontsize=11, wrap=True)
    axes = figure.subplots()
    axes.imshow(image)
    axes.set_axis_off()
    for fields in numbers:
        number = DrawnNumber(*fields)
        font_size = _font_size(number.boxes, scale * _POINTS_PER_INCH)
        _draw_number(axes, number, np.zeros(2), 1.0, font_size)
    save_figure(figure, path)


def _to_picture(
    image: np.ndarray, number: Any, caption: str, is_correct: bool | None
) -> NumberPicture:
    return NumberPicture(image, DrawnNumber(*number), caption, is_correct)


def _font_size(boxes: np.ndarray, points_per_pixel: float) -> float:
    """Returns a size that suits the height of the characters."""
    if not len(boxes):
        return _MIN_FONT_SIZE
    height = float(np.median(boxes[:, 3] - boxes[:, 1])) * points_per_pixel
    return float(np.clip(_RELATIVE_FONT_SIZE * height, _MIN_FONT_SIZE, _MAX_FONT_SIZE))


def _draw_sheet(axes: Axes, pictures: Sequence[NumberPicture]) -> None:
    """Draws pictures in rows. All share one coordinate system, which is quicker."""
    axes.set_axis_off()
    for i, picture in enumerate(pictures):
        row, column = divmod(i, _COLUMNS)
        _draw_cell(axes, picture, column, row * _CELL_HEIGHT)
    axes.set_xlim(0, _COLUMNS)
    axes.set_ylim(count_rows(len(pictures), _COLUMNS) * _CELL_HEIGHT, 0)
    axes.set_aspect("equal")


def _draw_cell(axes: Axes, picture: NumberPicture, left: float, top: float) -> None:
    """Draws a picture, scaled to its cell and centered, below its caption."""
    height, width = picture.image.shape[:2]
    scale = min(_PICTURE_WIDTH / width, _PICTURE_HEIGHT / height)
    image_left = left + (1 - scale * width) / 2
    image_top = top + _CELL_HEIGHT - _PICTURE_HEIGHT
    extent = (
        image_left,
        image_left + scale * width,
        image_top + scale * height,
        image_top,
    )
    axes.imshow(picture.image, extent=extent)
    origin = np.array([image_left, image_top])
    _draw_number(axes, picture.number, origin, scale, _SHEET_FONT_SIZE)
    axes.text(
        left + 0.5,
        image_top - _CAPTION_GAP,
        picture.caption,
        ha="center",
        va="bottom",
        fontsize=9,
        color=_CORRECTNESS_COLORS[picture.is_correct],
    )


def _draw_number(
    axes: Axes,
    number: DrawnNumber,
    origin: np.ndarray,
    scale: float,
    font_size: float,
) -> None:
    """Draws the boxes of a number, and its characters above them.

    Args:
      axes: to draw in.
      number: boxes and characters.
      origin: `float (2,)`, position of the picture's upper left corner in the axes.
      scale: size of a pixel in the axes.
      font_size: in points.
    """
    color = BLUE if number.is_sure else ORANGE
    halo: list[patheffects.AbstractPathEffect] = [
        patheffects.withStroke(linewidth=2.5, foreground="white")
    ]
    boxes = number.boxes.reshape(-1, 4) * scale + np.tile(origin, 2)
    for (left, top, right, bottom), text in zip(boxes, number.texts, strict=True):
        size = (right - left, bottom - top)
        box = Rectangle((left, top), *size, fill=False, color=color, linewidth=1)
        axes.add_patch(box)
        label = axes.text(
            (left + right) / 2,
            top,
            text,
            ha="center",
            va="bottom",
            fontsize=font_size,
            fontweight="bold",
            color=color,
        )
        label.set_path_effects(halo)
    if number.remark and len(boxes):
        right, bottom = boxes[:, 2].max(), boxes[:, 3].max()
        remark = axes.text(
            right, bottom, number.remark, va="top", ha="right", color=color,
            fontsize=max(_MIN_FONT_SIZE, 0.6 * font_size),
        )  # fmt: skip
        remark.set_path_effects(halo)


def _draw_accuracy_by_length(
    axes: Axes, by_length: Mapping[int, tuple[int, int]]
) -> None:
    """Draws one bar per length of a label."""
    lengths = sorted(by_length)
    accuracy = [by_length[n][1] / by_length[n][0] for n in lengths]
    places = range(len(lengths))
    axes.bar(places, accuracy, color=BLUE)
    for place, length in zip(places, lengths, strict=True):
        text = f"{accuracy[place]:.0%}\nof {by_length[length][0]:,}"
        axes.text(place, accuracy[place], text, ha="center", va="bottom", color=GRAY)
    axes.set_xticks(places, [f"{length:,}" for length in lengths])
    axes.set_title("Accuracy by length")
    axes.set_xlabel("characters of the label")
    axes.set_ylabel("numbers read right (%)")
    axes.set_ylim(0, 1.25)
    axes.set_yticks(np.arange(0, 1.1, 0.25))
    format_as_percent(axes.yaxis)


def _draw_confidence(
    axes: Axes, confidences: np.ndarray, correct: np.ndarray | None
) -> None:
    """Draws the histogram of confidence, with wrong numbers above the right ones."""
    edges = np.linspace(0, 1, len(confidences) + 1)
    if correct is None:
        axes.stairs(confidences, edges, fill=True, color=BLUE)
    else:
        # Without a label, a number is in the gray part.
        axes.stairs(
            confidences, edges, fill=True, color=RED, label="wrong or unlabelled"
        )
        axes.stairs(correct, edges, fill=True, color=GREEN, label="right")
        axes.legend(loc="upper left")
    highest = max(1, int(confidences.max(initial=0)))
    if highest > _MAX_LINEAR_COUNT:
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(0, highest * _LOG_HEADROOM)
    else:
        axes.set_ylim(0, highest * _HEADROOM)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Confidence")
    axes.set_xlabel("confidence that the whole number is right (%)")
    axes.set_ylabel("numbers")
    axes.set_xlim(0, 1)
    format_as_percent(axes.xaxis)

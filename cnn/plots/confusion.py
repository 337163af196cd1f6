"""The confusion matrix, in a size and with texts that suit the number of classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from cnn.plots import class_names as names_on_axes
from cnn.plots.class_names import (
    LINE_SPACING,
    POINTS_PER_INCH,
    Spacing,
    fit_names,
    measure_width,
    shorten,
    shorten_names,
)

# A matrix of more classes shows only those that occur, and lists its largest counts.
MAX_CLASSES_AT_A_GLANCE = 15
# In inches: axis label and ticks beside the names, and a title of two lines above.
_AXIS_MARGIN = 0.45
_TITLE_HEIGHT = 0.7
# Color bar: labels and gap in inches, and its width relative to the matrix.
_COLOR_BAR_MARGIN = 1.1
_COLOR_BAR_SHARE = 0.06
# In points, of the count in a cell. Smaller ones cannot be read.
_MAX_COUNT_SIZE = 9.0
_MIN_COUNT_SIZE = 6.0
# The width of a count, relative to its cell.
_MAX_FILLED_SHARE = 0.85
# Above this share, a cell is dark and its count is written in white.
_DARK_CELL_SHARE = 0.3
# Pairs of classes that are listed as most confused, and the width of their names.
_MAX_LISTED_PAIRS = 8
_MAX_LISTED_WIDTH = 1.0
_TITLE_SIZE = 12.0


def draw_confusion_matrix(
    axes: Axes,
    matrix: np.ndarray,
    class_names: Sequence[str],
    size: tuple[float, float],
) -> None:
    """Draws a confusion matrix, colored by the share of each row.

    Counts are written where they fit. Where there are many classes, the title names the
    pairs that were confused most.

    Args:
      axes: to draw in.
      matrix: `int (num_classes, num_classes)`, images by true and by predicted class.
      class_names: names of the rows and columns.
      size: width and height of the axes with all their texts, in inches.
    """
    totals = matrix.sum(1, keepdims=True)
    share = matrix / np.maximum(totals, 1)
    # The square root makes single mistakes visible beside thousands of correct ones.
    mesh = axes.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)
    names = shorten_names(class_names)
    cell = _measure_cell(names, size)
    _draw_cell_counts(axes, matrix, share, cell)
    spacing = _draw_names(axes, names, cell)
    title = [_describe_accuracy(matrix)]
    if len(names) > MAX_CLASSES_AT_A_GLANCE:
        title.append(_list_most_confused(matrix, class_names, cell * len(names)))
    title.append(spacing.note)
    axes.set_title("\n".join(filter(None, title)), fontsize=_TITLE_SIZE)
    _draw_color_bar(axes, mesh)


def keep_occurring(
    matrix: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Leaves out classes without a count if the matrix has many.

    Args:
      matrix: `int (num_classes, num_classes)`, images by true and by predicted class.
      class_names: names of the rows and columns.

    Returns:
      The smaller matrix and its names.
    """
    occurs = (matrix.sum(0) + matrix.sum(1)) > 0
    if len(class_names) <= MAX_CLASSES_AT_A_GLANCE or not occurs.any():
        return matrix, list(class_names)
    kept = np.flatnonzero(occurs)
    return matrix[np.ix_(kept, kept)], [class_names[label] for label in kept.tolist()]


def _measure_cell(names: Sequence[str], size: tuple[float, float]) -> float:
    """Returns the side of a cell in inches, if the names are on their side."""
    width, height = size
    margin = _AXIS_MARGIN + names_on_axes.find_widest(names)
    width = (width - margin - _COLOR_BAR_MARGIN) / (1 + _COLOR_BAR_SHARE)
    height -= margin + _TITLE_HEIGHT
    return min(width, height) / len(names)


def _draw_names(axes: Axes, names: Sequence[str], cell: float) -> Spacing:
    """Names the rows and columns."""
    spacing = fit_names(cell)
    places = range(0, len(names), spacing.step)
    shown = names[:: spacing.step]
    is_upright = names_on_axes.stand_upright(shown, cell)
    rotation = 0 if is_upright else 90
    axes.set_xticks(places, shown, rotation=rotation, fontsize=spacing.font_size)
    axes.set_yticks(places, shown, fontsize=spacing.font_size)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    return spacing


def _describe_accuracy(matrix: np.ndarray) -> str:
    num_images = matrix.sum()
    accuracy = np.trace(matrix) / max(num_images, 1)
    return f"Confusion matrix: {num_images:,} images, {accuracy:.2%} right"


def _list_most_confused(
    matrix: np.ndarray, class_names: Sequence[str], max_width: float
) -> str:
    """Names the largest counts beside the diagonal, as many as fit in a line."""
    mistakes = matrix - np.diag(np.diagonal(matrix))
    largest = np.argsort(-mistakes, axis=None, kind="stable")[:_MAX_LISTED_PAIRS]
    line = ""
    for index in largest:
        truth, prediction = np.unravel_index(index, mistakes.shape)
        count = mistakes[truth, prediction]
        names = [
            shorten(class_names[label], _MAX_LISTED_WIDTH, _TITLE_SIZE)
            for label in (truth, prediction)
        ]
        pair = f"{names[0]} as {names[1]} ({count:,})"
        longer = f"{line}, {pair}" if line else f"most confused: {pair}"
        if not count or measure_width(longer, _TITLE_SIZE) > max_width:
            break
        line = longer
    return line


def _draw_color_bar(axes: Axes, mesh: AxesImage) -> None:
    bar = axes.figure.colorbar(
        mesh,
        ax=axes,
        shrink=0.8,
        label="share of the row (square-root scale)",
    )
    shares = np.array([0, 0.01, 0.1, 0.25, 0.5, 1])
    positions = list(np.sqrt(shares))
    labels = [f"{share:.0%}" for share in shares]
    bar.set_ticks(positions, labels=labels)


def _draw_cell_counts(
    axes: Axes, matrix: np.ndarray, share: np.ndarray, cell: float
) -> None:
    """Writes each count that fits into its cell. The others are shown by color."""
    counts = np.unique(matrix[matrix > 0])
    widths = {count: measure_width(f"{count:,}", 1) for count in counts}
    font_size = _choose_count_size(max(widths.values(), default=1), cell)
    if font_size * LINE_SPACING > cell * POINTS_PER_INCH:
        return
    for row, column in np.argwhere(matrix):
        count = matrix[row, column]
        if font_size * widths[count] > _MAX_FILLED_SHARE * cell:
            continue
        is_dark = share[row, column] > _DARK_CELL_SHARE
        axes.text(
            column,
            row,
            f"{count:,}",
            ha="center",
            va="center",
            color="white" if is_dark else "black",
            fontsize=font_size,
            in_layout=False,
        )


def _choose_count_size(widest: float, cell: float) -> float:
    """Chooses the font size of all counts, in points.

    Args:
      widest: width of the widest count per point of font size, in inches.
      cell: side of a cell, in inches.
    """
    fitting = _MAX_FILLED_SHARE * cell / widest
    highest = cell * POINTS_PER_INCH / LINE_SPACING
    return max(_MIN_COUNT_SIZE, min(fitting, highest, _MAX_COUNT_SIZE))

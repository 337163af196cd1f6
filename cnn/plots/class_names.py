"""Names of classes on the axes of a figure: shortened, and thinned where they are many.

All lengths are inches, so that a figure can be sized before it is laid out.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

# In points, of names on an axis. Smaller ones cannot be read.
MAX_FONT_SIZE = 10.0
MIN_FONT_SIZE = 7.0
# Distance of lines, relative to the font size.
LINE_SPACING = 1.25
# About 18 letters of the largest font.
MAX_NAME_WIDTH = 1.5
POINTS_PER_INCH = 72
# Names beside one another may take this share of their room.
_MAX_FILLED_SHARE = 0.9
# Width of the narrowest letter, relative to the font size.
_MIN_LETTER_WIDTH = 0.25
# Free space above the first row and below the last, in rows.
_ROW_MARGIN = 0.4


class Spacing(NamedTuple):
    """How names fit into rows of equal height.

    Attributes:
      font_size: in points.
      step: every how many rows one has a name.
    """

    font_size: float
    step: int

    @property
    def note(self) -> str:
        """Says which classes are named, or nothing if all are."""
        return f"1 class in {self.step} is named" if self.step > 1 else ""


def measure_width(text: str, font_size: float) -> float:
    """Measures one line of text, in inches."""
    # A font of each size would be searched anew.
    font = FontProperties(size=1)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width * font_size / POINTS_PER_INCH


def shorten(text: str, max_width: float, font_size: float = MAX_FONT_SIZE) -> str:
    """Replaces the middle of a line of text by an ellipsis if it is too wide.

    Names often differ in their beginning or their end, so both stay.

    Args:
      text: one line.
      max_width: in inches.
      font_size: in points.

    Returns:
      The text, or as much of it as fits.
    """
    widest = int(max_width * POINTS_PER_INCH / font_size / _MIN_LETTER_WIDTH)
    if len(text) <= widest and measure_width(text, font_size) <= max_width:
        return text
    for count in range(min(len(text) - 1, widest), 0, -1):
        end = len(text) - count // 2
        shortened = f"{text[: count - count // 2]}…{text[end:]}"
        if measure_width(shortened, font_size) <= max_width:
            return shortened
    return "…"


def shorten_names(names: Sequence[str]) -> list[str]:
    """Shortens names to the widest that an axis has room for."""
    return [shorten(name, MAX_NAME_WIDTH) for name in names]


def find_widest(names: Sequence[str]) -> float:
    """Measures the widest of some names in the largest font, in inches."""
    return max((measure_width(name, MAX_FONT_SIZE) for name in names), default=0)


def fit_names(row_height: float) -> Spacing:
    """Chooses the largest font whose lines fit into rows, or else leaves out names.

    Args:
      row_height: in inches.

    Returns:
      Font size and distance of named rows.

    Example:
      >>> fit_names(0.5)
      Spacing(font_size=10.0, step=1)
      >>> fit_names(0.05)
      Spacing(font_size=7.0, step=3)
    """
    font_size = row_height * POINTS_PER_INCH / LINE_SPACING
    if font_size >= MIN_FONT_SIZE:
        return Spacing(min(font_size, MAX_FONT_SIZE), 1)
    return Spacing(MIN_FONT_SIZE, math.ceil(MIN_FONT_SIZE / font_size))


def stand_upright(names: Sequence[str], cell_width: float) -> bool:
    """Tells whether names fit beside one another, each in a cell of an axis."""
    spacing = fit_names(cell_width)
    room = _MAX_FILLED_SHARE * cell_width * spacing.step
    width = find_widest(names) * spacing.font_size / MAX_FONT_SIZE
    return width <= room


def draw_row_names(
    axes: Axes, title: str, names: Sequence[str], height: float
) -> Spacing:
    """Names a chart and its rows, from top to bottom.

    Args:
      axes: to draw in. The rows are at 0, 1, 2, ...
      title: title of the chart. A note is added if not all rows are named.
      names: names of the rows.
      height: height of the axes, in inches.

    Returns:
      How the names fit.
    """
    count = len(names)
    spacing = fit_names(height / (count + 2 * _ROW_MARGIN))
    shown = shorten_names(names)[:: spacing.step]
    axes.set_yticks(range(0, count, spacing.step), shown, fontsize=spacing.font_size)
    axes.set_title("\n".join(filter(None, [title, spacing.note])))
    axes.set_ylim(count - 0.5 + _ROW_MARGIN, -0.5 - _ROW_MARGIN)
    return spacing

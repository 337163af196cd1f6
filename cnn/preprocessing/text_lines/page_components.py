"""Measures the connected components of a page."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.component_labels import NEIGHBORHOOD

# Lowest character, in pixels of the working page.
MIN_HEIGHT = 9
# Highest character, as a fraction of the page's shorter side.
_MAX_HEIGHT_SHARE = 0.2
# Widest component that may be a character or several that touch, in heights. Wider ones
# are rules, dashes or underlined words.
_MAX_ASPECT_RATIO = 12
# Largest share of its box that a character fills. A blot or a picture fills more.
_MAX_FILL = 0.85
# Largest stroke width of a character, as a fraction of its height.
_MAX_STROKE_WIDTH = 0.45
# Largest number of components that are searched. A page of small print has 8,000.
_MAX_COMPONENTS = 12_000


class PageComponents(NamedTuple):
    """Measurements of the N connected components of a page, from left to right.

    Attributes:
      labels: `int32 (height, width)`, label of each pixel, 0 for the background.
      label: `int (N,)`, the label of each component.
      box: `int (N, 4)`, left, top, right and bottom.
      area: `int (N,)`, number of pixels.
      stroke_width: `float (N,)`, twice the area per pixel of the outline.
      print_odds: `float (N,)`, log odds that the component is printed.
      is_drawing: `bool (N,)`, whether it is connected with a drawing.
    """

    labels: np.ndarray
    label: np.ndarray
    box: np.ndarray
    area: np.ndarray
    stroke_width: np.ndarray
    print_odds: np.ndarray
    is_drawing: np.ndarray

    @property
    def width(self) -> np.ndarray:
        """Widths of the boxes in pixels, `int (N,)`."""
        return self.box[:, 2] - self.box[:, 0]

    @property
    def height(self) -> np.ndarray:
        """Heights of the boxes in pixels, `int (N,)`."""
        return self.box[:, 3] - self.box[:, 1]

    @property
    def center(self) -> np.ndarray:
        """Centers of the boxes, x and y, `float (N, 2)`."""
        return (self.box[:, :2] + self.box[:, 2:]) / 2

    @property
    def bounds(self) -> np.ndarray:
        """The box around all components, `int (4,)`."""
        return np.concatenate([self.box[:, :2].min(0), self.box[:, 2:].max(0)])

    def join(self, other: "PageComponents") -> "PageComponents":
        """Adds other components of the same page."""
        return PageComponents(
            self.labels,
            np.concatenate([self.label, other.label]),
            np.concatenate([self.box, other.box]),
            np.concatenate([self.area, other.area]),
            np.concatenate([self.stroke_width, other.stroke_width]),
            np.concatenate([self.print_odds, other.print_odds]),
            np.concatenate([self.is_drawing, other.is_drawing]),
        )

    def take(self, selected: np.ndarray) -> "PageComponents":
        """Selects components by indices or a mask."""
        return PageComponents(
            self.labels,
            self.label[selected],
            self.box[selected],
            self.area[selected],
            self.stroke_width[selected],
            self.print_odds[selected],
            self.is_drawing[selected],
        )


def measure_components(strokes: np.ndarray) -> PageComponents:
    """Labels and measures the 8-connected components of ink.

    Args:
      strokes: `uint8 (height, width)`, 1 for ink.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    inner = cv2.erode(strokes, NEIGHBORHOOD)
    outline = np.bincount(labels[strokes > inner], minlength=count)
    left, top, width, height, area = stats[1:].T
    box = np.stack([left, top, left + width, top + height], axis=1)
    stroke_width = 2 * area / np.maximum(outline[1:], 1)
    order = np.argsort(left, kind="stable")
    components = PageComponents(
        labels,
        np.arange(1, count),
        box,
        area,
        stroke_width.astype(float),
        np.zeros(count - 1),
        np.zeros(count - 1, bool),
    )
    return components.take(order)


def select_characters(components: PageComponents) -> np.ndarray:
    """Tells which components may be characters, or several that touch, by their size.

    Returns:
      `bool (N,)`.
    """
    height, width = components.height, components.width
    max_height = _MAX_HEIGHT_SHARE * min(components.labels.shape)
    is_character = (height >= MIN_HEIGHT) & (height <= max(max_height, 5 * MIN_HEIGHT))
    is_character &= width <= _MAX_ASPECT_RATIO * height
    is_character &= components.stroke_width <= _MAX_STROKE_WIDTH * height
    is_bar = width < 0.4 * height
    is_character &= is_bar | (components.area <= _MAX_FILL * width * height)
    if is_character.sum() > _MAX_COMPONENTS:
        is_character[np.flatnonzero(is_character)[_MAX_COMPONENTS:]] = False
    return is_character

"""The marks on a picture: which of them make up the character, and which nobody wrote."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels, find_quadrilateral
from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds


class Components(NamedTuple):
    """The connected marks of a picture, an entry each; the first stands for what is no mark.

    Attributes:
      left: first column.
      top: first row.
      right: column after the last.
      bottom: row after the last.
      area: in pixels.
      mass: sum of the ink's strength.
      touched: how many edges of the picture each mark touches.
      labels: `int32 (height, width)`, to which mark each pixel belongs.
    """

    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    area: np.ndarray
    mass: np.ndarray
    border_contacts: np.ndarray
    labels: np.ndarray

    @property
    def width(self) -> np.ndarray:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> np.ndarray:
        """In pixels."""
        return self.bottom - self.top


class Selection(NamedTuple):
    """Which marks make up the character.

    Attributes:
      kept: `bool (height, width)`.
      box: left, top, right and bottom.
      unambiguous: whether there is no doubt.
      has_other_characters: whether there is another character.
    """

    mask: np.ndarray
    box: np.ndarray
    unambiguous: bool
    has_other_characters: bool


def select_character(
    strength: np.ndarray,
    weakest: float,
    may_touch_border: bool,
    limits: SegmentationThresholds = THRESHOLDS,
) -> Selection | None:
    """Chooses the marks that make up the character: a main one, and what belongs to it.

    Args:
      strength: `float32 (height, width)`.
      weakest: the strength of the faintest ink.
      may_touch_border: whether the character may fill the picture.
      limits: what counts as what.

    Returns:
      The choice, or None if there is no mark.
    """
    marks = label_components(strength, weakest, gap=0 if may_touch_border else 1)
    if len(marks.mass) < 2:
        return None
    if len(marks.mass) == 2 and may_touch_border:
        return _make_selection(
            marks, np.array([False, True]), unambiguous=True, has_other_characters=False
        )
    drawn = _is_printed(marks, may_touch_border, limits)
    sharp = (
        np.ones(len(marks.mass))
        if may_touch_border
        else edge_sharpness(strength, marks)
    )
    weight = (
        marks.mass
        * np.clip(sharp / limits.sharp, 0.02, 1) ** 2
        * np.where(drawn, 0.01, 1)
    )
    if not may_touch_border:
        weight *= _centrality(marks) * np.where(marks.border_contacts > 0, 0.4, 1)
        weight *= np.where(marks.width > limits.flattest * marks.height, 0.01, 1)
    main = int(weight.argmax())
    written = ~drawn & (sharp > 0.5 * min(sharp[main], limits.sharp))
    kept = written & _is_part(marks, main, may_touch_border, limits)
    kept[main], kept[0] = True, False
    large = (marks.mass > limits.several * marks.mass[main]) & (
        marks.height > 0.5 * marks.height[main]
    )
    has_other_characters = (written & ~kept & large & (marks.border_contacts == 0))[
        1:
    ].any()
    unambiguous = sharp[main] >= limits.sharp and (
        may_touch_border or not marks.border_contacts[main]
    )
    return _make_selection(marks, kept, bool(unambiguous), bool(has_other_characters))


def label_components(strength: np.ndarray, weakest: float, gap: int) -> Components:
    """Finds the marks; what lies up to twice `gap` pixels apart is one."""
    mask = (strength > weakest).astype(np.uint8)
    # With a margin, which the boxes then are larger by, too.
    joined = cv2.copyMakeBorder(mask, gap, gap, gap, gap, cv2.BORDER_CONSTANT, value=0)
    if gap:
        joined = cv2.dilate(joined, np.ones((3, 3), np.uint8), iterations=gap)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    left, top, width, height, _ = boxes.T
    right, bottom = left + width - 2 * gap, top + height - 2 * gap
    rows, columns = mask.shape
    touched = (
        (left == 0).astype(int) + (top == 0) + (right == columns) + (bottom == rows)
    )
    if gap:
        labels = labels[gap:-gap, gap:-gap] * mask
    inked = np.flatnonzero(mask)
    of = labels.ravel()[inked]
    area = np.bincount(of, minlength=count)
    mass = np.bincount(of, strength.ravel()[inked], count)
    return Components(left, top, right, bottom, area, mass, touched, labels)


def _make_selection(
    marks: Components, kept: np.ndarray, unambiguous: bool, has_other_characters: bool
) -> Selection:
    corner, end = (
        (marks.left[kept].min(), marks.top[kept].min()),
        (marks.right[kept].max(), marks.bottom[kept].max()),
    )
    return Selection(
        kept[marks.labels], np.array([*corner, *end]), unambiguous, has_other_characters
    )


def _is_printed(
    marks: Components, may_touch_border: bool, limits: SegmentationThresholds
) -> np.ndarray:
    """Tells which marks nobody wrote: bars along an edge, lines across the picture, boxes."""
    (rows, columns), width, height = marks.labels.shape, marks.width, marks.height
    at_top, at_left = (
        (marks.top == 0) | (marks.bottom == rows),
        (marks.left == 0) | (marks.right == columns),
    )
    long, slender, thin = limits.bar_length, limits.line_slender, limits.line_width
    along = ((width >= long * columns) & at_top) | ((height >= long * rows) & at_left)
    narrow = np.minimum(width, height) < limits.bar_width * max(rows, columns)
    full = narrow & (marks.area > 0.6 * width * height)
    drawn = along & full & (marks.border_contacts >= 2)
    if not may_touch_border:
        near_top = (marks.top < 0.15 * rows) | (marks.bottom > 0.85 * rows)
        near_left = (marks.left < 0.15 * columns) | (marks.right > 0.85 * columns)
        drawn |= (width > slender * height) & (width > 0.5 * columns) & near_top
        drawn |= (height > slender * width) & (height > 0.5 * rows) & near_left
        drawn |= (width > 0.75 * columns) & (height < thin * rows)
        drawn |= (height > 0.75 * rows) & (width < thin * columns)
    return drawn | _is_drawn_box(marks, may_touch_border, limits)


def _is_drawn_box(
    marks: Components, may_touch_border: bool, limits: SegmentationThresholds
) -> np.ndarray:
    """Tells which marks are drawn boxes."""
    large = np.minimum(marks.width, marks.height) > limits.box_side * min(
        marks.labels.shape
    )
    hollow = large & (marks.area < 0.5 * marks.width * marks.height)
    boxes = np.zeros(len(large), bool)
    for i in np.flatnonzero(hollow[1:]) + 1:
        mark = (
            marks.labels[marks.top[i] : marks.bottom[i], marks.left[i] : marks.right[i]]
            == i
        )
        boxes[i] = np.mean(border_pixels(mark)) > 0.8 or (
            not may_touch_border and _outlines_box(mark.astype(np.uint8))
        )
    return boxes


def remove_boxes(
    strength: np.ndarray, weakest: float, limits: SegmentationThresholds = THRESHOLDS
) -> np.ndarray:
    """Takes drawn boxes off a picture, if there is something in them; arguments as of `choose`."""
    marks = label_components(strength, weakest, gap=1)
    boxes = _is_drawn_box(marks, may_touch_border=False, limits=limits)
    for i in np.flatnonzero(boxes):
        inside = (marks.left > marks.left[i]) & (marks.right < marks.right[i])
        inside &= (marks.top > marks.top[i]) & (marks.bottom < marks.bottom[i])
        boxes[i] = (marks.height[inside] > 0.2 * marks.height[i]).any()
    return (
        np.where(boxes[marks.labels], np.float32(0), strength)
        if boxes.any()
        else strength
    )


def _outlines_box(mark: np.ndarray) -> bool:
    """Tells whether a mark goes along all of an outline with four straight sides."""
    outline = find_quadrilateral(mark)
    if outline is None:
        return False
    along = cv2.polylines(np.zeros_like(mark), [outline], isClosed=True, color=1) > 0
    return bool(cv2.dilate(mark, np.ones((3, 3), np.uint8))[along].mean() > 0.8)


def edge_sharpness(strength: np.ndarray, marks: Components) -> np.ndarray:
    """Measures how steeply each mark rises at its edge, as a fraction of its mean strength a pixel."""
    mask, count = (marks.labels > 0).astype(np.uint8), len(marks.mass)
    edge = np.flatnonzero(
        mask.ravel() > cv2.erode(mask, np.ones((3, 3), np.uint8)).ravel()
    )
    across = cv2.Sobel(strength, -1, 1, 0, scale=0.125).ravel()[edge]
    down = cv2.Sobel(strength, -1, 0, 1, scale=0.125).ravel()[edge]
    mark = marks.labels.ravel()[edge]
    rise = np.bincount(mark, np.hypot(across, down), count) / np.maximum(
        np.bincount(mark, minlength=count), 1
    )
    return rise / np.maximum(marks.mass / np.maximum(marks.area, 1), 1)


def _centrality(marks: Components) -> np.ndarray:
    """Weighs marks by where they lie: 1 in the middle, a third at an edge."""
    rows, columns = marks.labels.shape
    x, y = (
        np.abs((marks.left + marks.right) / columns - 1),
        np.abs((marks.top + marks.bottom) / rows - 1),
    )
    return (1 - 0.8 * np.minimum(1, np.maximum(x, y))) ** 0.7


def _is_part(
    marks: Components, main: int, may_touch_border: bool, limits: SegmentationThresholds
) -> np.ndarray:
    """Tells which marks are parts of the main one: near and no specks, or within its box."""
    across = np.maximum(marks.left - marks.right[main], marks.left[main] - marks.right)
    down = np.maximum(marks.top - marks.bottom[main], marks.top[main] - marks.bottom)
    apart, size = np.maximum(across, down), max(marks.width[main], marks.height[main])
    part = (apart <= limits.near * size) & (
        marks.mass >= limits.speck * marks.mass[main]
    ) | (apart <= 0)
    if may_touch_border:
        return part
    # What comes in from beyond an edge is another's, unless it is small and where the main mark is.
    inside = (
        (apart <= 0)
        & (marks.border_contacts < 2)
        & (marks.mass < 0.5 * marks.mass[main])
    )
    whole = (marks.border_contacts == 0) | inside
    return (
        part
        & whole
        & ~_is_full_stop(marks, main, limits)
        & ~_is_neighbor(marks, main, limits)
    )


def _is_neighbor(
    marks: Components, main: int, limits: SegmentationThresholds
) -> np.ndarray:
    """Tells which marks are characters beside the main one, print above or below it, a frame around it."""
    left, top, right, bottom = (
        side[main] for side in (marks.left, marks.top, marks.right, marks.bottom)
    )
    gap = np.maximum(marks.left - right, left - marks.right)
    level = np.minimum(marks.bottom, bottom) - np.maximum(
        marks.top, top
    )  # Rows that both are in.
    beside = (gap > limits.beside * (bottom - top)) & (
        level > 0.6 * np.maximum(marks.height, bottom - top)
    )
    flat = (marks.width > limits.flattest * marks.height) & (marks.width > bottom - top)
    around = (
        (marks.left < left)
        & (marks.top < top)
        & (marks.right > right)
        & (marks.bottom > bottom)
    )
    return beside | flat | around


def _is_full_stop(
    marks: Components, main: int, limits: SegmentationThresholds
) -> np.ndarray:
    """Tells which marks are full stops after the main one: small, to its right, at its foot."""
    small = (
        np.maximum(marks.width, marks.height) < limits.full_stop * marks.height[main]
    )
    behind = marks.left >= marks.left[main] + 0.9 * marks.width[main]
    return small & behind & (marks.top > marks.top[main] + 0.6 * marks.height[main])

"""Divides the components of a text line into fragments, which do not overlap.

A fragment is what lies between neighboring cuts of one component, or a component that
is not cut. It owns its pixels, whatever lies above or below them: the flag of a 5 over
the next digit stays with the 5. A small component beside a stroke belongs to it.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.text_lines.cuts import Cuts
from cnn.preprocessing.text_lines.working_ink import WorkingInk, row_shifts, shift_rows

# Lengths are fractions of a digit's height.
# A component is small up to this height.
_MAX_SMALL_HEIGHT = 0.45
# Distance up to which a small component is a part of the next stroke, if it lies above
# or below it or in the upper half of the line; and that of a speck of up to this area.
_MAX_ATTACHED_GAP = 0.22
_MAX_SPECK_GAP = 0.1
_MAX_SPECK_AREA = 0.012
# Share of a small component's width that lies above or below a stroke it belongs to.
_MIN_OVERLAP = 0.5
# Pixels of a small component whose distance is measured, at most.
_MAX_MEASURED = 24


class Fragments(NamedTuple):
    """Fragments of a line in order, from the left.

    Attributes:
      labels: `int32 (height, width)`, 1 + the fragment of each pixel, 0 for none. The
        antialiased edge belongs to the fragment that it surrounds.
      component: `int (N,)`, label of the component of each.
      boxes: `int (N, 4)`, left, top, right and bottom of the ink.
      area: `float64 (N,)`, ink in pixels.
      spans: `int (N, 2)`, first column and the one after the last, of the ink without
        its slant.
      slopes: `float64 (N,)`, slant of each, in pixels to the right per pixel upwards.
      cut_sides: `int (C, 2)`, fragments on the left and right of each cut.
      cut_ink: `float64 (C,)`, ink that each cut crosses, in pixels.
    """

    labels: np.ndarray
    component: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    spans: np.ndarray
    slopes: np.ndarray
    cut_sides: np.ndarray
    cut_ink: np.ndarray


def divide_components(ink: WorkingInk, cuts: Cuts) -> Fragments:
    """Divides the components at the cuts, and orders the fragments from the left.

    Args:
      ink: of the line.
      cuts: from `cuts.find_cuts`.
    """
    num_fragments = 1 + np.bincount(cuts.component, minlength=ink.num_labels)
    first = np.cumsum(num_fragments) - num_fragments
    component = np.repeat(np.arange(ink.num_labels), num_fragments)
    raw = _label_fragments(ink, cuts, first)
    owner = _find_owners(ink, raw, num_fragments[component])
    center = _mean_columns(ink, raw, len(component))
    owners = np.unique(owner[np.unique(raw)])
    owners = owners[owners > 0]
    order = owners[np.argsort(center[owners], kind="stable")]
    place = np.zeros(len(component), np.int32)
    place[order] = np.arange(1, len(order) + 1)
    labels = place[owner][raw]
    return Fragments(
        labels=_add_edges(labels, ink.mask),
        component=component[order],
        boxes=measure_boxes(labels, len(order)),
        area=np.bincount(labels.ravel(), ink.mask.ravel(), len(order) + 1)[1:],
        spans=_measure_spans(ink, labels, len(order)),
        slopes=_measure_slopes(labels, len(order)),
        cut_sides=_find_sides(cuts, first, place[owner] - 1),
        cut_ink=cuts.ink,
    )


def _label_fragments(ink: WorkingInk, cuts: Cuts, first: np.ndarray) -> np.ndarray:
    """Numbers the fragments, from `first[label]` on in each component.

    Returns:
      `int (height, width)`, 0 for the background.
    """
    fragments = first[ink.labels]
    if not len(cuts.component):
        return fragments
    shifts = row_shifts(len(ink.mask), ink.slant)
    width = ink.labels.shape[1]
    # Column of each pixel in the ink without its slant.
    columns = np.arange(width) + shifts[:, None]
    for label in np.unique(cuts.component).tolist():
        left, top, right, bottom = ink.boxes[label].tolist()
        inside = np.s_[top:bottom, left:right]
        seams = cuts.seams[cuts.component == label]
        # Seams that meet may cross by a pixel.
        seams = np.maximum.accumulate(seams, axis=0)[:, top:bottom, None]
        number = (columns[inside] >= seams).sum(0)
        fragments[inside] += np.where(ink.labels[inside] == label, number, 0)
    return fragments


def _mean_columns(ink: WorkingInk, raw: np.ndarray, count: int) -> np.ndarray:
    """Returns the mean columns without the slant, `float64 (count,)`."""
    rows, columns = np.nonzero(raw)
    moved = columns + row_shifts(len(raw), ink.slant)[rows]
    of_pixel = raw[rows, columns]
    sums = np.bincount(of_pixel, moved, count)
    return sums / np.maximum(np.bincount(of_pixel, minlength=count), 1)


def _find_owners(ink: WorkingInk, raw: np.ndarray, siblings: np.ndarray) -> np.ndarray:
    """Finds the fragment that each fragment is a part of: for most, itself.

    Args:
      ink: of the line.
      raw: `int (height, width)`, fragments.
      siblings: `int (fragments,)`, number of fragments of the component of each.
    """
    owner = np.arange(len(siblings))
    count = len(siblings)
    boxes = np.concatenate([np.zeros((1, 4), int), measure_boxes(raw, count - 1)])
    heights = boxes[:, 3] - boxes[:, 1]
    is_small = (heights < _MAX_SMALL_HEIGHT * ink.digit_height) & (siblings == 1)
    middle = _middle_row(boxes[1:][~is_small[1:]], raw)
    for fragment in np.flatnonzero(is_small[1:]) + 1:
        if not heights[fragment]:
            continue
        nearest = _find_nearest(raw, int(fragment), boxes[fragment], ink.digit_height)
        if nearest is None or is_small[nearest[0]]:
            continue
        if _is_attached(ink, boxes, int(fragment), nearest, middle):
            owner[fragment] = nearest[0]
    return owner


def _middle_row(boxes: np.ndarray, raw: np.ndarray) -> float:
    """Returns the row in the middle of the digits."""
    if not len(boxes):
        return len(raw) / 2
    return float(np.median(boxes[:, [1, 3]].mean(1)))


def _find_nearest(
    raw: np.ndarray, fragment: int, box: np.ndarray, digit_height: float
) -> tuple[int, float] | None:
    """Finds the nearest other fragment, and its distance in pixels, if it is near."""
    reach = int(_MAX_ATTACHED_GAP * digit_height) + 1
    left, top = np.maximum(box[:2] - reach, 0)
    window = raw[top : box[3] + reach, left : box[2] + reach]
    own = np.argwhere(window == fragment)
    others = np.argwhere((window != fragment) & (window > 0))
    if not len(others):
        return None
    sample = own[:: len(own) // _MAX_MEASURED + 1]
    distances = np.square(sample[:, None] - others).sum(2).min(0)
    row, column = others[distances.argmin()]
    return int(window[row, column]), float(np.sqrt(distances.min()))


def _is_attached(
    ink: WorkingInk,
    boxes: np.ndarray,
    fragment: int,
    nearest: tuple[int, float],
    middle: float,
) -> bool:
    """Tells whether a small component is a part of the nearest fragment."""
    height = ink.digit_height
    other, distance = nearest
    left, top, right, bottom = boxes[fragment].tolist()
    if distance > _MAX_ATTACHED_GAP * height:
        return False
    is_speck = (right - left) * (bottom - top) < _MAX_SPECK_AREA * height**2
    if is_speck and distance <= _MAX_SPECK_GAP * height:
        return True
    overlap = min(right, boxes[other, 2]) - max(left, boxes[other, 0])
    is_above_or_below = overlap >= _MIN_OVERLAP * (right - left)
    return bool(is_above_or_below or bottom <= middle)


def _find_sides(cuts: Cuts, first: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Returns the fragments on the left and right of each cut, `int (C, 2)`."""
    if not len(cuts.component):
        return np.zeros((0, 2), int)
    # The cuts of a component follow each other.
    index = np.arange(len(cuts.component))
    rank = index - np.searchsorted(cuts.component, cuts.component)
    left = first[cuts.component] + rank
    return np.stack([place[left], place[left + 1]], axis=1)


def measure_boxes(labels: np.ndarray, count: int) -> np.ndarray:
    """Measures the ink of each label.

    Args:
      labels: `int (height, width)`, 0 for the background.
      count: number of labels besides the background.

    Returns:
      `int (count, 4)`, left, top, right and bottom of labels 1 to `count`, and 0 for
      those without a pixel.
    """
    rows, columns = np.nonzero(labels)
    of_pixel = labels[rows, columns] - 1
    boxes = np.zeros((count, 4), int)
    boxes[of_pixel, :2] = np.iinfo(int).max
    np.minimum.at(boxes[:, 0], of_pixel, columns)
    np.minimum.at(boxes[:, 1], of_pixel, rows)
    np.maximum.at(boxes[:, 2], of_pixel, columns + 1)
    np.maximum.at(boxes[:, 3], of_pixel, rows + 1)
    return boxes


def _measure_spans(ink: WorkingInk, labels: np.ndarray, count: int) -> np.ndarray:
    """Measures the columns of fragments without the slant, `int (count, 2)`."""
    upright = shift_rows(labels, row_shifts(len(labels), ink.slant))
    return measure_boxes(upright, count)[:, [0, 2]]


def _measure_slopes(labels: np.ndarray, count: int) -> np.ndarray:
    """Fits the slope of the ink of each label, `float64 (count,)`."""
    rows, columns = np.nonzero(labels)
    of_pixel = labels[rows, columns] - 1

    def mean(values: np.ndarray) -> np.ndarray:
        sums = np.bincount(of_pixel, values, count)
        return sums / np.maximum(np.bincount(of_pixel, minlength=count), 1)

    heights = len(labels) - rows
    mean_height = mean(heights)
    covariance = mean(heights * columns) - mean_height * mean(columns)
    variance = mean(heights**2) - mean_height**2
    return covariance / np.maximum(variance, 1e-6)


def _add_edges(labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Gives the pixels beside ink that have some coverage to that ink."""
    spread = cv2.dilate(labels.astype(np.float32), NEIGHBORHOOD).astype(np.int32)
    is_edge = (labels == 0) & (mask > 0)
    return np.where(is_edge, spread, labels)

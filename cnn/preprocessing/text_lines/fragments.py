"""Divides the components of a text line into fragments, which do not overlap.

A fragment is the ink of one component that no cut divides, between neighboring cuts or
where cuts cross. It owns its pixels, whatever lies above or below them: the flag of a
5 over the next digit stays with the 5. A small component beside a stroke belongs to it.
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
    """Fragments of a line, and the order of the steps between cuts.

    Each component has one step more than cuts. The steps of all components, in order
    from the left, are what a path through the lattice passes.

    Attributes:
      labels: `int32 (height, width)`, 1 + the fragment of each pixel, 0 for none. The
        antialiased edge belongs to the fragment that it surrounds.
      component: `int (N,)`, label of the component of each.
      sides: `int64 (N,)`, bit k + 1 tells that it lies on the right of cut k of its
        component. Bit 0 is set.
      boxes: `int (N, 4)`, left, top, right and bottom of the ink.
      area: `float64 (N,)`, ink in pixels.
      spans: `int (N, 2)`, first column and the one after the last, of the ink without
        its slant.
      slopes: `float64 (N,)`, slant of each, in pixels to the right per pixel upwards.
      step_component: `int (S,)`, the component of each step.
      step_number: `int (S,)`, its number in the component: it ends at that cut.
      step_ink: `float64 (S,)`, ink that the cut at its end crosses, in pixels, 0 for
        the last of a component.
    """

    labels: np.ndarray
    component: np.ndarray
    sides: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    spans: np.ndarray
    slopes: np.ndarray
    step_component: np.ndarray
    step_number: np.ndarray
    step_ink: np.ndarray


def divide_components(ink: WorkingInk, cuts: Cuts) -> Fragments:
    """Divides the components at the cuts, and orders the steps from the left.

    Args:
      ink: of the line.
      cuts: from `cuts.find_cuts`.
    """
    num_cuts = np.bincount(cuts.component, minlength=ink.num_labels)
    raw, component, sides = _label_fragments(ink, cuts)
    owner = _find_owners(ink, raw, num_cuts[component] + 1)
    owners = np.unique(owner)[1:]
    place = np.zeros(len(component), np.int32)
    place[owners] = np.arange(1, len(owners) + 1)
    labels = place[owner][raw]
    count = len(owners)
    steps = _order_steps(ink, cuts, np.unique(component[owners]))
    return Fragments(
        labels=_add_edges(labels, ink.mask),
        component=component[owners],
        sides=sides[owners],
        boxes=measure_boxes(labels, count),
        area=np.bincount(labels.ravel(), ink.mask.ravel(), count + 1)[1:],
        spans=_measure_spans(ink, labels, count),
        slopes=_measure_slopes(labels, count),
        step_component=steps[0],
        step_number=steps[1],
        step_ink=steps[2],
    )


def _label_fragments(
    ink: WorkingInk, cuts: Cuts
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers the fragments.

    Returns:
      `int (height, width)`, 0 for the background, and for each number the component
      and its sides, as in `Fragments`.
    """
    raw = ink.labels.astype(np.int64)
    component, sides = [*range(ink.num_labels)], [1] * ink.num_labels
    shifts = row_shifts(len(ink.mask), ink.slant)
    # Column of each pixel in the ink without its slant.
    columns = np.arange(raw.shape[1]) + shifts[:, None]
    for label in np.unique(cuts.component).tolist():
        left, top, right, bottom = ink.boxes[label].tolist()
        inside = np.s_[top:bottom, left:right]
        own = ink.labels[inside] == label
        rows, of_own = np.nonzero(own)[0], columns[inside][own]
        seams = cuts.seams[cuts.component == label][:, top:bottom]
        bits = np.left_shift(1, np.arange(1, len(seams) + 1))
        of_pixel = bits @ (of_own >= seams[:, rows]) + 1
        found, number = np.unique(of_pixel, return_inverse=True)
        # The first fragment keeps the number of the component.
        raw[inside][own] = np.where(number, len(sides) - 1 + number, label)
        sides[label] = int(found[0])
        sides += found[1:].tolist()
        component += [label] * (len(found) - 1)
    return raw, np.array(component), np.array(sides, np.int64)


def _order_steps(
    ink: WorkingInk, cuts: Cuts, components: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Orders the steps of components from the left.

    A step lies at the column without slant that has half of its ink on the left.

    Returns:
      `int (S,)`, component, `int (S,)`, number in it, and `float64 (S,)`, the ink of
      the cut at its end.
    """
    rows, columns = np.nonzero(ink.labels)
    moved = columns + row_shifts(len(ink.mask), ink.slant)[rows]
    of_pixel, weight = ink.labels[rows, columns], ink.mask[rows, columns]
    steps = []
    for label in components.tolist():
        own = of_pixel == label
        profile = np.bincount(moved[own], weight[own])
        cumulative = np.cumsum(profile)
        of_label = cuts.component == label
        ends = np.concatenate([[0], cuts.before[of_label], cumulative[-1:]])
        centers = np.searchsorted(cumulative, (ends[1:] + ends[:-1]) / 2)
        crossed = np.append(cuts.ink[of_label], 0)
        steps += [
            (int(center), label, number, float(crossed[number]))
            for number, center in enumerate(centers)
        ]
    steps.sort(key=lambda step: step[:3])
    return (
        np.array([label for _, label, _, _ in steps]),
        np.array([number for _, _, number, _ in steps]),
        np.array([ink_of_cut for _, _, _, ink_of_cut in steps]),
    )


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

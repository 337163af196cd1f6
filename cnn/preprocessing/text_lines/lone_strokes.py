"""Weighs numbers that are nothing but straight strokes, as in 1 or 11.

So are hatching, tallies, and the rests of rules and of tables. What tells them from
ones is the writing beside, above and below them: digits of the same height that are no
strokes, of which there are several for every 1.
"""

from collections.abc import Sequence

import numpy as np

from cnn.preprocessing.boxes import OUTWARDS, box_slices
from cnn.preprocessing.text_lines.page_components import PageComponents

# Largest spread of the pixels across a stroke, as a fraction of that along it.
_MAX_ASPECT = 0.3
# Largest difference of the heights of digits of one hand, as a logarithm.
_HEIGHT_TOLERANCE = 0.35
# Share of the components of a group above which it is straight strokes: some of
# hatching touch.
_MIN_STROKE_SHARE = 0.6
# Log odds from which other groups count as writing.
_MIN_ODDS = -1.5
# Smallest number of other digits in the same rows or columns, and of them per stroke,
# that speak for ones. One digit in ten is a 1.
_MIN_DIGITS = 4
_MIN_DIGITS_PER_STROKE = 2.0
# Log odds of strokes without such writing: the network takes them for ones with a
# confidence of nearly 1.
_LONE_ODDS = -14.0
# The same of any other single component: a circle is read as a 0.
_LONE_COMPONENT_ODDS = -1.0


def weigh_lone_strokes(
    groups: Sequence[PageComponents], odds: Sequence[float]
) -> list[float]:
    """Lowers the log odds of straight strokes, or one component, among no digits.

    Args:
      groups: the components of each group.
      odds: log odds that each group is a number.

    Returns:
      The log odds of each group.
    """
    strokes = [_are_strokes(group) for group in groups]
    is_lone = [bool(of_group.mean() > _MIN_STROKE_SHARE) for of_group in strokes]
    if not groups:
        return []
    is_writing = [lone or o >= _MIN_ODDS for lone, o in zip(is_lone, odds, strict=True)]
    counted = [i for i, writing in enumerate(is_writing) if writing]
    boxes = np.concatenate([groups[i].box for i in counted or [0]])
    of_strokes = np.concatenate([strokes[i] for i in counted or [0]])
    weighed = list(odds)
    for i, group in enumerate(groups):
        if not is_lone[i] and len(group.label) > 1:
            continue
        if not _has_digits(group, boxes, of_strokes):
            weighed[i] += _LONE_ODDS if is_lone[i] else _LONE_COMPONENT_ODDS
    return weighed


def _has_digits(
    group: PageComponents, boxes: np.ndarray, is_stroke: np.ndarray
) -> bool:
    """Tells whether there are enough digits as high as a group, in line with it."""
    height = float(np.median(group.height))
    heights = boxes[:, 3] - boxes[:, 1]
    near = np.abs(np.log(heights / height)) <= _HEIGHT_TOLERANCE
    bounds = group.bounds + height / 2 * OUTWARDS
    is_crossing = (boxes[:, :2] < bounds[2:]) & (boxes[:, 2:] > bounds[:2])
    near &= is_crossing.any(axis=1)
    digits = int((near & ~is_stroke).sum())
    num_strokes = int((near & is_stroke).sum())
    return digits >= max(_MIN_DIGITS, _MIN_DIGITS_PER_STROKE * num_strokes)


def _are_strokes(group: PageComponents) -> np.ndarray:
    """Tells which components are straight strokes, `bool (N,)`."""
    return np.array(
        [
            _is_stroke(group.labels[box_slices(box)] == label)
            for box, label in zip(group.box, group.label.tolist(), strict=True)
        ],
        bool,
    )


def _is_stroke(mask: np.ndarray) -> bool:
    """Tells whether ink, `bool (height, width)`, is long and thin in any direction."""
    positions = np.stack(np.nonzero(mask)).astype(float)
    if positions.shape[1] < 2:
        return True
    across, along = np.linalg.eigvalsh(np.cov(positions))
    return bool(across <= _MAX_ASPECT**2 * along)

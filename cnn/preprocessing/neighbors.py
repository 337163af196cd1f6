"""Detects pieces of neighboring characters in a crop of a longer number or word.

The character of a crop is the one in the middle. Its neighbors enter from the left and
the right edge, and the crop cuts them.
"""

import numpy as np

from cnn.preprocessing.component_labels import Components
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.neighbors


def middle_factor(components: Components) -> np.ndarray:
    """Computes a factor of 1 for components that span the middle column.

    Args:
      components: the components of a crop.

    Returns:
      `float64 (labels,)`. It falls to `min_middle_factor` at the left and right edge.
    """
    _, columns = components.labels.shape
    middle = columns / 2
    gap = np.maximum(components.left - middle, middle - components.right)
    center = (components.left + components.right) / 2
    off_center = np.abs(center - middle) / middle
    distance = np.maximum(np.maximum(gap / middle, 0) * 2, off_center)
    return np.maximum(_THRESHOLDS.min_middle_factor, 1 - distance)


def enters_from_side(components: Components, main: int) -> np.ndarray:
    """Tells which components enter from the left or right edge, beside the main one.

    Args:
      components: the components of a crop.
      main: label of the character's main component.

    Returns:
      `bool (labels,)`.
    """
    _, columns = components.labels.shape
    at_left = components.left == 0
    at_right = components.right == columns
    shared_right = np.minimum(components.right, components.right[main])
    shared_left = np.maximum(components.left, components.left[main])
    shared = np.maximum(0, shared_right - shared_left)
    is_beside = shared <= _THRESHOLDS.max_shared_columns * components.width
    enters = (at_left != at_right) & is_beside
    for label in np.flatnonzero((at_left != at_right) & ~is_beside):
        if label in (0, main):
            continue
        enters[label] = _is_outside_in_rows(components, int(label), main)
    enters[main] = False
    return enters


def _is_outside_in_rows(components: Components, label: int, main: int) -> bool:
    """Tells whether a component is beside the main one in every row of both.

    Slanted neighbors share columns with the main component, and are beside it.
    """
    top = max(components.top[label], components.top[main])
    bottom = min(components.bottom[label], components.bottom[main])
    height = components.bottom[label] - components.top[label]
    if bottom - top < _THRESHOLDS.min_shared_rows * height:
        return False
    rows = components.labels[top:bottom]
    if components.left[label] > 0:
        rows = rows[:, ::-1]
    piece = rows == label
    body = rows == main
    _, columns = rows.shape
    last_of_piece = np.where(piece.any(1), columns - piece[:, ::-1].argmax(1), 0)
    first_of_body = np.where(body.any(1), body.argmax(1), columns)
    return bool((last_of_piece <= first_of_body).all())

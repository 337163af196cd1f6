"""The marks on a picture: which of them make up the character, and which nobody wrote."""

import cv2
import numpy as np

from cnn.images.limits import LIMITS, Limits
from cnn.images.paper import rim


def choose(
    strength: np.ndarray, labels: np.ndarray, boxes: np.ndarray, tight: bool, limits: Limits = LIMITS
) -> tuple[np.ndarray, bool, bool]:
    """Chooses the marks that make up the character: a main one, and what belongs to it.

    Args:
      strength: `float32 (height, width)`.
      labels: `int32 (height, width)`, which mark a pixel belongs to, 0 for none.
      boxes: `int32 (marks, 5)`: left, top, width, height and area of each mark.
      tight: whether the character may touch the edges.
      limits: what counts as what.

    Returns:
      `bool (marks,)`, False at 0; whether the choice is clear; whether other characters are left out.
    """
    count = len(boxes)
    if count == 2 and tight:
        return np.array([False, True]), True, False
    left, top, width, height, area = boxes.T
    right, bottom = left + width, top + height
    mass = np.bincount(labels.ravel(), strength.ravel(), count)
    mass[0] = 0
    touches = _touches(strength.shape, left, top, right, bottom)
    drawn = _drawn(strength.shape, boxes, touches, labels)
    sharp = np.ones(count) if tight else _sharpness(strength, labels, mass / np.maximum(area, 1))
    weight = mass * np.clip(sharp / limits.sharp, 0.02, 1) ** 2 * np.where(drawn, 0.01, 1)
    if not tight:
        weight *= _centrality(strength.shape, left, top, right, bottom) * np.where(touches > 0, 0.4, 1)
    main = int(weight.argmax())
    across = np.maximum(left - right[main], left[main] - right)
    down = np.maximum(top - bottom[main], top[main] - bottom)
    apart = np.maximum(across, down)
    size = max(width[main], height[main])
    fit = ~drawn & (sharp > 0.5 * min(sharp[main], limits.sharp))
    kept = (apart <= limits.near * size) & (mass >= limits.speck * mass[main]) & fit
    kept |= (apart <= 0) & fit
    if not tight:
        kept &= (touches == 0) | ((apart <= 0) & (touches < 2) & (mass < 0.5 * mass[main]))
        kept &= ~_full_stop(boxes, main)
    kept[main], kept[0] = True, False
    others = fit & ~kept & (mass > limits.several * mass[main]) & (height > 0.5 * height[main])
    several = bool((others & (touches == 0))[1:].any())
    clear = bool(sharp[main] >= limits.sharp) and (tight or not touches[main])
    return kept, clear, several


def _touches(
    shape: tuple[int, ...], left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray
) -> np.ndarray:
    """Counts the edges of the picture that each mark touches."""
    return (left == 0).astype(int) + (top == 0) + (right == shape[1]) + (bottom == shape[0])


def _centrality(
    shape: tuple[int, ...], left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray
) -> np.ndarray:
    """Weighs marks by where they lie: 1 in the middle, a third at an edge."""
    x, y = np.abs((left + right) / shape[1] - 1), np.abs((top + bottom) / shape[0] - 1)
    return (1 - 0.8 * np.minimum(1, np.maximum(x, y))) ** 0.7


def _drawn(shape: tuple[int, ...], boxes: np.ndarray, touches: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Tells which marks nobody wrote: bars along an edge, lines across the picture, boxes."""
    left, top, width, height, area = boxes.T
    rows, columns = shape
    along = (width >= 0.7 * columns) & ((top == 0) | (top + height == rows))
    along |= (height >= 0.7 * rows) & ((left == 0) | (left + width == columns))
    bar = along & (touches >= 2) & (area > 0.6 * width * height)
    bar &= np.minimum(width, height) < 0.35 * max(shape)
    edge_side = (left < 0.15 * columns) | (left + width > 0.85 * columns)
    edge_top = (top < 0.15 * rows) | (top + height > 0.85 * rows)
    bar |= (height > 0.5 * rows) & (height > 8 * width) & edge_side & (max(shape) > 48)
    bar |= (width > 0.5 * columns) & (width > 8 * height) & edge_top & (max(shape) > 48)
    line = (width > 0.75 * columns) & (height < 0.08 * rows) | (height > 0.75 * rows) & (
        width < 0.08 * columns
    )
    drawn = bar | (line & (max(shape) > 48))
    hollow = (np.minimum(width, height) > 0.3 * min(shape)) & (area < 0.5 * width * height)
    for i in np.flatnonzero(hollow[1:]) + 1:
        mark = labels[top[i] : top[i] + height[i], left[i] : left[i] + width[i]] == i
        drawn[i] |= np.mean(rim(mark)) > 0.8
    return drawn


def _sharpness(strength: np.ndarray, labels: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Measures how steeply each mark rises at its edge, as a fraction of its mean strength a pixel."""
    mask = (labels > 0).astype(np.uint8)
    edge = np.flatnonzero(mask.ravel() > cv2.erode(mask, np.ones((3, 3), np.uint8)).ravel())
    across = cv2.Sobel(strength, -1, 1, 0, scale=0.125).ravel()[edge]
    down = cv2.Sobel(strength, -1, 0, 1, scale=0.125).ravel()[edge]
    mark = labels.ravel()[edge]
    rise = np.bincount(mark, np.hypot(across, down), len(mean)) / np.maximum(
        np.bincount(mark, minlength=len(mean)), 1
    )
    return rise / np.maximum(mean, 1)


def _full_stop(boxes: np.ndarray, main: int) -> np.ndarray:
    """Tells which marks are full stops after the main one: small, to its right, at its foot."""
    left, top, width, height, _ = boxes.T
    small = np.maximum(width, height) < 0.22 * height[main]
    behind = left >= left[main] + 0.9 * width[main]
    return small & behind & (top > top[main] + 0.6 * height[main])

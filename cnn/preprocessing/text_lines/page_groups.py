"""Chains the characters of a page to groups, and the groups to text lines.

Each component is joined with its nearest neighbor to the right, if it is as high and
stands at the same level.

Source: O'Gorman, "The document spectrum for page layout analysis", 1993.
"""

import numpy as np

from cnn.preprocessing.text_lines.page_components import PageComponents

# Largest ratio of the heights of neighbors in a number.
_MAX_HEIGHT_RATIO = 2.2
# Largest distance of the centers of neighbors across the line, as a fraction of the
# higher one's height.
_MAX_OFFSET = 0.45
# Smallest share of the common rows of two boxes that a rule between them crosses.
_MIN_RULE_SHARE = 0.6
# Smallest gap between two numbers, as a fraction of the median height, and as a
# multiple of the median gap of the chain.
_MIN_WIDE_GAP = 0.65
_WIDE_GAP_RATIO = 2.2
# Smallest gap between two words, as a fraction of the median height of their letters.
_MIN_WORD_GAP = 0.25
# Smallest number of components whose gaps can be compared.
_MIN_SPLIT_SIZE = 3
# Slopes that a page may have, in pixels per pixel.
_SLOPES = np.linspace(-0.15, 0.15, 61)


def estimate_slope(components: PageComponents) -> float:
    """Estimates the slope of the text lines, in pixels down per pixel to the right.

    The centers of the characters are projected along each slope. Along the right one
    they fall on few lines.
    """
    center, height = components.center, components.height
    if len(height) < 3:
        return 0.0
    step = max(1.0, float(np.median(height)) / 6)
    sharpness = []
    for slope in _SLOPES:
        rows = (center[:, 1] - slope * center[:, 0]) / step
        counts = np.bincount((rows - rows.min()).astype(int))
        pairs = counts[:-1] + counts[1:]
        sharpness.append(float((pairs.astype(float) ** 2).sum()))
    # Of equally sharp ones, the slope nearest 0.
    best = np.flatnonzero(np.array(sharpness) >= 0.999 * max(sharpness))
    return float(_SLOPES[best[np.abs(_SLOPES[best]).argmin()]])


def chain_neighbors(
    boxes: np.ndarray,
    slope: float,
    max_gap: float,
    max_ratio: float = _MAX_HEIGHT_RATIO,
    rules: np.ndarray | None = None,
) -> np.ndarray:
    """Joins each box with its nearest neighbor to the right.

    Args:
      boxes: `(N, 4)`, sorted by their left side.
      slope: of the text lines.
      max_gap: largest gap between neighbors, as a fraction of the mean height.
      max_ratio: largest ratio of their heights.
      rules: `uint8 (height, width)`, 1 for printed rules, which separate neighbors.

    Returns:
      `int (N,)`, number of the group of each box, from 0 in the order of the leftmost.
    """
    parents = np.arange(len(boxes))
    neighbor = _nearest_to_right(boxes.astype(float), slope, max_gap, max_ratio)
    for i in np.flatnonzero(neighbor >= 0).tolist():
        if rules is not None and _are_separated(rules, boxes[i], boxes[neighbor[i]]):
            continue
        first, second = _root(parents, i), _root(parents, int(neighbor[i]))
        parents[max(first, second)] = min(first, second)
    roots = np.array([_root(parents, i) for i in range(len(boxes))], int)
    return np.unique(roots, return_inverse=True)[1].reshape(-1)


def _root(parents: np.ndarray, index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index


def _are_separated(rules: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    """Tells whether a vertical rule stands between two boxes."""
    rows = slice(max(first[1], second[1]), min(first[3], second[3]))
    columns = slice(max(first[2] - 2, 0), second[0] + 2)
    between = rules[rows, columns]
    if not between.size:
        return False
    return bool(between.mean(axis=0).max() >= _MIN_RULE_SHARE)


def _nearest_to_right(
    boxes: np.ndarray, slope: float, max_gap: float, max_ratio: float
) -> np.ndarray:
    """Finds the index of the nearest neighbor to the right, `int (N,)`, -1 for none."""
    left, top, right, bottom = boxes.T
    height = bottom - top
    x, y = (left + right) / 2, (top + bottom) / 2
    neighbor = np.full(len(boxes), -1)
    reach = right + max_gap * height * (1 + max_ratio) / 2
    ends = np.searchsorted(left, reach, side="right")
    for i in range(len(boxes)):
        others = slice(i + 1, ends[i])
        mean_height = (height[others] + height[i]) / 2
        larger = np.maximum(height[others], height[i])
        gap = left[others] - right[i]
        offset = y[others] - y[i] - slope * (x[others] - x[i])
        fits = (gap <= max_gap * mean_height) & (np.abs(offset) <= _MAX_OFFSET * larger)
        fits &= larger <= max_ratio * np.minimum(height[others], height[i])
        found = np.flatnonzero(fits)
        if found.size:
            # Nearest in the direction of the line.
            neighbor[i] = i + 1 + found[np.argmin(x[others][found])]
    return neighbor


def split_at_wide_gaps(boxes: np.ndarray, min_gap: float = _MIN_WIDE_GAP) -> np.ndarray:
    """Splits a chain where a gap is much wider than the others.

    Args:
      boxes: `(N, 4)`, of the components of a chain, sorted by their left side.
      min_gap: smallest wide gap, as a fraction of the median height.

    Returns:
      `int (N,)`, number of the part of each, from 0.
    """
    if len(boxes) < _MIN_SPLIT_SIZE:
        return np.zeros(len(boxes), int)
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    reach = np.maximum.accumulate(boxes[:, 2])
    gaps = (boxes[1:, 0] - reach[:-1]) / height
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    is_wide = gaps > max(min_gap, _WIDE_GAP_RATIO * usual)
    return np.concatenate([[0], np.cumsum(is_wide)])


def find_words(characters: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """Divides chains into words.

    Args:
      characters: `(N, 4)`, boxes sorted by their left side.
      chain: `int (N,)`, the chain of each.

    Returns:
      `int (N,)`, number of the word of each, from 0.
    """
    word = np.zeros(len(chain), int)
    first = 0
    for i in range(chain.max(initial=-1) + 1):
        members = np.flatnonzero(chain == i)
        part = split_at_wide_gaps(characters[members], _MIN_WORD_GAP)
        word[members] = first + part
        first += part[-1] + 1
    return word


def number_lines(boxes: np.ndarray, slope: float) -> np.ndarray:
    """Numbers the text lines of groups from the top.

    Args:
      boxes: `(N, 4)`, the groups, sorted by their left side.
      slope: of the text lines.

    Returns:
      `int (N,)`, from 1.
    """
    if not len(boxes):
        return np.zeros(0, int)
    page_width = float(boxes[:, 2].max())
    smallest = max(1.0, float((boxes[:, 3] - boxes[:, 1]).min()))
    lines = chain_neighbors(boxes, slope, page_width / smallest, 3.0)
    rows = (boxes[:, 1] + boxes[:, 3]) / 2 - slope * (boxes[:, 0] + boxes[:, 2]) / 2
    counts = np.bincount(lines)
    mean_rows = np.bincount(lines, rows) / counts
    rank = np.empty(len(counts), int)
    rank[np.argsort(mean_rows, kind="stable")] = np.arange(1, len(counts) + 1)
    return rank[lines]

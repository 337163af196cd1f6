"""Tells print from handwriting by shapes that repeat exactly.

A typeface draws the same letter the same way each time, which no hand does. Components
of a page that have a twin are printed, and so are those beside them in a line with the
same height and stroke width.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from cnn.preprocessing.text_lines.page_components import PageComponents

# Side of the reduced images of components that are compared, in pixels.
_THUMBNAIL_SIDE = 12
# Largest difference of the sides of twins, in pixels: the same glyph at another place
# of the pixel grid.
_MAX_SIZE_DIFFERENCE = 1
# Largest difference of the areas of twins, as a fraction.
_MAX_AREA_DIFFERENCE = 0.12
# Smallest correlation of twins.
_TWIN_CORRELATION = 0.9
# Largest number of components that others are compared with.
_MAX_REFERENCES = 2500
# Number of components that are compared at a time, to bound the memory.
_BLOCK_SIZE = 512
# Width of a component, in heights, below which its shape says nothing: a 1, an l.
_MIN_TELLING_WIDTH = 0.35

# Log odds that a component is printed by the number of its twins. A digit of one hand
# rarely has one on a page, and one in a thousand has two. Of print, 97 in 100 have two.
_TWIN_ODDS = (-1.5, 1.0, 4.0)
# Log odds that a component is printed before any evidence.
_PRIOR_ODDS = -1.0
# Log odds of a component that is, or is not, as high and thick as the page's print.
_STYLE_ODDS = 1.5
_OTHER_STYLE_ODDS = -1.5
# Number of components with twins from which a page has enough print to show what is
# none.
_MUCH_PRINT = 100
# Smallest number of them that show a style.
_MIN_STYLED = 12
# Largest difference of the height and of the stroke width in one style, as a fraction.
_STYLE_TOLERANCE = 0.08
# Largest difference of the tops and of the bottoms of neighbors on one baseline, as a
# fraction of their height.
_ALIGNMENT_TOLERANCE = 0.03
# Largest difference of the stroke width of neighbors, as a fraction.
_STROKE_TOLERANCE = 0.12
# Log odds that two neighbors are printed, if they are as high and thick, or not.
_EQUAL_ODDS = 1.0
_UNEQUAL_ODDS = -0.4
# Weight of the odds of the neighbors in a line.
_NEIGHBOR_WEIGHT = 0.5
# Log odds from which a component is clearly printed.
_CLEAR_ODDS = 1.0
# Log odds that a component is printed if all of its word or line is.
_MAJORITY_ODDS = 2.0
# Smallest number of components of a line of print, and share of them that are printed.
_MIN_LINE_SIZE = 8
_MIN_PRINTED_SHARE = 0.6
# Largest difference of the stroke width from the line's, as a fraction, and the log
# odds that what fits is printed.
_LINE_STROKE_TOLERANCE = 0.25
_LINE_STYLE_ODDS = 4.0
# Smallest number of printed components of a page of print, and share of its components.
# What looks like them there is printed, too, by these log odds.
_MIN_PAGE_PRINT = 30
_MIN_PAGE_SHARE = 0.5
_PAGE_STYLE_ODDS = 7.0
# Quantile of the heights and stroke widths of a page's print that bounds the others,
# and how much higher and thicker than it print may be, as a fraction.
_PAGE_STYLE_QUANTILE = 0.95
_PAGE_STYLE_EXCESS = 0.12
# Weight of a narrow component among others.
_NARROW_WEIGHT = 0.2
# Largest number of neighbors whose mean odds count, each by half.
_MAX_LINE_WEIGHT = 6


def weigh_print(characters: PageComponents, levels: np.ndarray) -> np.ndarray:
    """Weighs the evidence that each component is printed.

    Args:
      characters: N components.
      levels: `float32 (height, width)`, gray levels of the ink.

    Returns:
      `float (N,)`, log odds that a component is printed, by itself.
    """
    num_twins = _count_twins(characters, levels)
    is_telling = characters.width >= _MIN_TELLING_WIDTH * characters.height
    is_twin = num_twins == 2
    much = min(1.0, float(is_twin.sum()) / _MUCH_PRINT)
    odds = np.array(_TWIN_ODDS)[num_twins]
    odds[num_twins == 0] *= much
    odds[~is_telling] = 0
    odds += _PRIOR_ODDS
    if is_twin.sum() >= _MIN_STYLED:
        same_style = _has_style(characters, is_twin)
        other_odds = np.where(is_telling, _OTHER_STYLE_ODDS, 0)
        odds += much * np.where(same_style, _STYLE_ODDS, other_odds)
    return odds


def weigh_alignment(characters: PageComponents, word: np.ndarray) -> np.ndarray:
    """Weighs whether neighbors are as exactly alike as the letters of a typeface.

    Letters that follow each other have the same top, bottom and stroke width.

    Args:
      characters: N components from left to right.
      word: `int (N,)`, the word of each.

    Returns:
      `float (N,)`, log odds that a component is printed, half of them for each
      neighbor.
    """
    order = np.lexsort([np.arange(len(word)), word])
    box, thickness = characters.box[order], characters.stroke_width[order]
    height = characters.height[order]
    tolerance = np.maximum(1, _ALIGNMENT_TOLERANCE * (height[1:] + height[:-1]) / 2)
    is_equal = np.abs(box[1:, 1] - box[:-1, 1]) <= tolerance
    is_equal &= np.abs(box[1:, 3] - box[:-1, 3]) <= tolerance
    is_equal &= np.abs(np.log(thickness[1:] / thickness[:-1])) <= _STROKE_TOLERANCE
    odds = np.where(is_equal, _EQUAL_ODDS, _UNEQUAL_ODDS) / 2
    odds[word[order][1:] != word[order][:-1]] = 0
    result = np.zeros(len(word))
    result[order[1:]] += odds
    result[order[:-1]] += odds
    return result


def smooth_along_lines(odds: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Adds the odds of the neighbors in the same group, `float (N,)`.

    Args:
      odds: `float (N,)`, of components from left to right.
      group: `int (N,)`, the group of each.
    """
    order = np.lexsort([np.arange(len(odds)), group])
    sorted_odds, sorted_group = odds[order], group[order]
    is_same = sorted_group[1:] == sorted_group[:-1]
    smoothed = sorted_odds.copy()
    smoothed[1:] += _NEIGHBOR_WEIGHT * np.where(is_same, sorted_odds[:-1], 0)
    smoothed[:-1] += _NEIGHBOR_WEIGHT * np.where(is_same, sorted_odds[1:], 0)
    count = np.bincount(group)
    mean = np.bincount(group, odds) / np.maximum(count, 1)
    weight = np.minimum(count, _MAX_LINE_WEIGHT)
    smoothed += (weight * mean)[sorted_group] / 2
    result = np.empty_like(smoothed)
    result[order] = smoothed
    return result


def spread_majority(
    odds: np.ndarray, characters: PageComponents, *groups: np.ndarray
) -> np.ndarray:
    """Adds odds where most of a group is printed, or subtracts them, `float (N,)`.

    Args:
      odds: `float (N,)`, of components.
      characters: the components.
      groups: each `int (N,)`, the group of each component: its word, its line.
    """
    is_telling = characters.width >= _MIN_TELLING_WIDTH * characters.height
    weight = np.where(is_telling, 1.0, _NARROW_WEIGHT)
    is_printed = odds > _CLEAR_ODDS
    result = odds.copy()
    for group in groups:
        total = np.maximum(np.bincount(group, weight), _NARROW_WEIGHT)
        share = np.bincount(group, weight * is_printed) / total
        # Of narrow components alone, nothing is known.
        is_known = np.bincount(group, is_telling) > 0
        result += _MAJORITY_ODDS * (np.where(is_known, 2 * share - 1, 0))[group]
    return result


def weigh_line_style(
    odds: np.ndarray, characters: PageComponents, line: np.ndarray
) -> np.ndarray:
    """Adds odds to what looks like the print of its text line, `float (N,)`.

    A number in the middle of a printed line is printed, if it is as high and thick as
    the letters, though no digit of it repeats.

    Args:
      odds: `float (N,)`, log odds that each component is printed.
      characters: the components.
      line: `int (N,)`, the text line of each.
    """
    is_printed = odds > _CLEAR_ODDS
    result = odds.copy()
    for i in np.flatnonzero(np.bincount(line) >= _MIN_LINE_SIZE).tolist():
        members = np.flatnonzero(line == i)
        printed = members[is_printed[members]]
        if len(printed) < _MIN_PRINTED_SHARE * len(members):
            continue
        height, thickness = characters.height, characters.stroke_width
        highest = (1 + _STYLE_TOLERANCE) * height[printed].max()
        usual = float(np.median(thickness[printed]))
        fits = height[members] <= highest
        fits &= np.abs(np.log(thickness[members] / usual)) <= _LINE_STROKE_TOLERANCE
        result[members[fits]] += _LINE_STYLE_ODDS
    return result


def weigh_page_style(
    groups: Sequence[PageComponents], printed: PageComponents
) -> np.ndarray:
    """Weighs whether groups on a page of print look like that print.

    Of a page that is mostly print, what is no higher and no thicker is printed, too.

    Args:
      groups: the components of each of N groups, none of which are clearly printed.
      printed: the components that are.

    Returns:
      `float (N,)`, log odds that a group is printed.
    """
    count = len(printed.label)
    total = count + sum(len(group.label) for group in groups)
    if count < max(_MIN_PAGE_PRINT, _MIN_PAGE_SHARE * total):
        return np.zeros(len(groups))
    excess = 1 + _PAGE_STYLE_EXCESS
    height = excess * float(np.quantile(printed.height, _PAGE_STYLE_QUANTILE))
    thickness = printed.stroke_width
    thickest = excess * float(np.quantile(thickness, _PAGE_STYLE_QUANTILE))
    thinnest = float(np.quantile(thickness, 1 - _PAGE_STYLE_QUANTILE)) / excess
    fits = [
        float(group.height.max()) <= height
        and thinnest <= float(np.median(group.stroke_width)) <= thickest
        for group in groups
    ]
    return _PAGE_STYLE_ODDS * np.array(fits, float)


def _count_twins(characters: PageComponents, levels: np.ndarray) -> np.ndarray:
    """Counts the twins of each component up to two, `int (N,)`.

    Narrow components have none, as their shape says nothing.
    """
    telling = np.flatnonzero(characters.width >= _MIN_TELLING_WIDTH * characters.height)
    counts = np.zeros(len(characters.label), int)
    if telling.size < 2:
        return counts
    characters = characters.take(telling)
    images = _thumbnails(characters, levels)
    sizes = np.stack([characters.width, characters.height], axis=1)
    areas = np.log(characters.area)
    step = -(-len(telling) // _MAX_REFERENCES)
    for first in range(0, len(telling), _BLOCK_SIZE):
        part = slice(first, first + _BLOCK_SIZE)
        is_twin = images[part] @ images[::step].T > _TWIN_CORRELATION
        difference = np.abs(sizes[part, None] - sizes[::step]).max(axis=2)
        is_twin &= difference <= _MAX_SIZE_DIFFERENCE
        is_twin &= np.abs(areas[part, None] - areas[::step]) <= _MAX_AREA_DIFFERENCE
        itself = np.arange(first, first + len(is_twin))[:, None]
        is_twin &= itself != np.arange(0, len(telling), step)
        counts[telling[part]] = np.minimum(is_twin.sum(axis=1), 2)
    return counts


def _thumbnails(characters: PageComponents, levels: np.ndarray) -> np.ndarray:
    """Reduces components to vectors of mean 0 and length 1, `float32 (N, pixels)`."""
    size = (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
    images = np.empty((len(characters.label), size[0] * size[1]), np.float32)
    for i, (left, top, right, bottom) in enumerate(characters.box.tolist()):
        crop = levels[top:bottom, left:right]
        images[i] = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).ravel()
    images -= images.mean(axis=1, keepdims=True)
    return images / (np.linalg.norm(images, axis=1, keepdims=True) + 1e-6)


def _has_style(characters: PageComponents, is_twin: np.ndarray) -> np.ndarray:
    """Tells which components are as high and as thick as printed ones, `bool (N,)`."""
    style = np.log(np.stack([characters.height, characters.stroke_width], axis=1))
    cells = np.floor(style / _STYLE_TOLERANCE).astype(int)
    twins = {(row, column) for row, column in cells[is_twin].tolist()}
    near = {(r + i, c + j) for r, c in twins for i in (-1, 0, 1) for j in (-1, 0, 1)}
    return np.array([(r, c) in near for r, c in cells.tolist()], bool)

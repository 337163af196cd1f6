"""Weighs whether ink on a page is a handwritten number, before it is read."""

import cv2
import numpy as np

from cnn.preprocessing.background import equivalent_side
from cnn.preprocessing.boxes import box_slices, scale_box
from cnn.preprocessing.text_lines.page_components import PageComponents
from cnn.preprocessing.text_lines.page_ink import PageInk

# Width of the surroundings, as a fraction of the height of a digit.
_RING_WIDTH = 0.35
# The same at least, in pixels.
_MIN_RING_WIDTH = 8
# Width of the blurred edges of ink and rules that are no clutter, in pixels.
_EDGE_WIDTH = 5
# Quantile of the number's levels that is full ink.
_FULL_INK_QUANTILE = 0.8
# Clutter beside a number from which it is less probable: the numbers around it and the
# rests of rules are less. In a photograph it is three times as much.
_USUAL_CLUTTER = 0.12
# Log odds that are lost per unit of clutter, and at most.
_CLUTTER_WEIGHT = 25.0
_MAX_CLUTTER_LOSS = 8.0
# Difference of the lightness of the paper around a number, as a fraction, of which
# shadows have less and the edges of objects more, and the log odds that are lost per
# unit.
_USUAL_EDGE = 0.15
_EDGE_WEIGHT = 20.0
# Quantiles between which the lightness is measured.
_EDGE_QUANTILES = (0.1, 0.9)
# Height of a character, as a fraction of the page's equivalent side, from which it is
# less probable than a part of a drawing: 15 mm on A4. Log odds that are lost per unit,
# and at most.
_USUAL_SIZE = 0.06
_SIZE_WEIGHT = 50.0
_MAX_SIZE_LOSS = 3.0
# Log odds of a number whose components are all connected with a drawing.
_DRAWING_ODDS = -8.0
# Spread of the heights, as the standard deviation of their logarithms, of which digits
# have less and words, with their ascenders, have more.
_USUAL_SPREAD = 0.1
# Log odds that are lost per unit of spread, and their limits.
_SPREAD_WEIGHT = 10.0
_SPREAD_LIMITS = (-2.0, 0.7)
# Log odds of a single component, and of components that are all as narrow as a 1.
# Rests of drawings are often single or narrow.
_SINGLE_ODDS = -0.5
_NARROW_ODDS = -2.0
# Width below which a component is narrow, in heights.
_NARROW_WIDTH = 0.35
# Largest log odds: words in letters look as much like numbers as this.
_MAX_ODDS = 0.5
# Largest number of characters whose log odds of print count, and the limits of their
# sum: that there is no print is no evidence for a number.
_MAX_PRINT_COUNT = 3
_PRINT_LIMITS = (-4.0, 0.5)


def weigh_number(page: PageInk, group: PageComponents) -> float:
    """Weighs whether a group of components is a handwritten number.

    Args:
      page: the ink of the page.
      group: the components.

    Returns:
      The log odds. 0 stands for no evidence.
    """
    spread = float(np.log(group.height).std())
    odds = np.clip(_SPREAD_WEIGHT * (_USUAL_SPREAD - spread), *_SPREAD_LIMITS)
    if len(group.label) < 2:
        odds = _SINGLE_ODDS
    if (group.width < _NARROW_WIDTH * group.height).all():
        odds = _NARROW_ODDS
    count = min(len(group.label), _MAX_PRINT_COUNT)
    not_printed = -count * float(group.print_odds.mean())
    odds += np.clip(not_printed, *_PRINT_LIMITS)
    clutter = measure_clutter(page, group) - _USUAL_CLUTTER
    odds -= np.clip(_CLUTTER_WEIGHT * clutter, 0, _MAX_CLUTTER_LOSS)
    edge = measure_edge(page, group) - _USUAL_EDGE
    odds -= np.clip(_EDGE_WEIGHT * edge, 0, _MAX_CLUTTER_LOSS)
    size = float(group.height.max()) / equivalent_side(page.paper) - _USUAL_SIZE
    odds -= np.clip(_SIZE_WEIGHT * size, 0, _MAX_SIZE_LOSS)
    odds += _DRAWING_ODDS * float(group.is_drawing.mean())
    return min(float(odds), _MAX_ODDS)


def measure_clutter(page: PageInk, group: PageComponents) -> float:
    """Measures how dark the surroundings of a group are.

    Paper is light between its numbers. In a photograph or a drawing, ink is everywhere.

    Args:
      page: the ink of the page.
      group: the components, whose own ink does not count, nor do rules.

    Returns:
      The mean level of the surroundings, as a fraction of the group's, in [0, 1].
    """
    inside = _surroundings(group)
    levels = page.ink.foreground[inside]
    own = np.isin(group.labels[inside], group.label)
    full = max(float(np.quantile(levels[own], _FULL_INK_QUANTILE)), 1.0)
    kernel = np.ones((_EDGE_WIDTH, _EDGE_WIDTH), np.uint8)
    known = cv2.dilate(own.astype(np.uint8) | page.rules[inside], kernel)
    rest = levels[known == 0]
    if not rest.size:
        return 0.0
    return float(np.clip(rest / full, 0, 1).mean())


def measure_edge(page: PageInk, group: PageComponents) -> float:
    """Measures how much the paper around a group differs in lightness.

    The edge of an object, seen as ink, has other levels on either side.

    Returns:
      The range of the middle four fifths of the levels, as a fraction of the highest.
    """
    paper = page.paper[_surroundings(group)]
    low, high = np.quantile(paper[::2, ::2], _EDGE_QUANTILES)
    return float((high - low) / max(high, 1.0))


def _surroundings(group: PageComponents) -> tuple[slice, slice]:
    """Returns the rows and columns of a group and its surroundings."""
    reach = max(_MIN_RING_WIDTH, _RING_WIDTH * float(np.median(group.height)))
    grown = group.bounds + reach * np.array([-1, -1, 1, 1])
    return box_slices(scale_box(grown, 1, group.labels.shape))

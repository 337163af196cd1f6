"""Groups the components of a page to numbers."""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines.lone_strokes import weigh_lone_strokes
from cnn.preprocessing.text_lines.number_evidence import weigh_number
from cnn.preprocessing.text_lines.page_combs import Comb, assign_to_combs, find_combs
from cnn.preprocessing.text_lines.page_components import (
    PageComponents,
    measure_components,
    select_characters,
)
from cnn.preprocessing.text_lines.page_drawings import find_drawings
from cnn.preprocessing.text_lines.page_groups import (
    chain_neighbors,
    estimate_slope,
    find_words,
    number_lines,
    split_at_wide_gaps,
)
from cnn.preprocessing.text_lines.page_ink import PageInk
from cnn.preprocessing.text_lines.print_evidence import (
    smooth_along_lines,
    spread_majority,
    weigh_alignment,
    weigh_line_style,
    weigh_page_style,
    weigh_print,
)

# Largest gap between the digits of a number, as a fraction of their height.
_MAX_GAP = 1.2
# Largest number of components of a number: twenty digits, some broken.
_MAX_GROUP_SIZE = 30
# Log odds of print above which a character is left out.
_MAX_PRINT_ODDS = 1.5
# Log odds below which a group is no number.
_MIN_LOG_ODDS = -5.0
# Log odds that what is written in a comb is a number: combs are printed for numbers,
# and now and then for letters.
_COMB_ODDS = 2.0
# Largest size of a mark that belongs to a number, such as a decimal point or a broken
# piece of a digit, as a fraction of the height of its digits.
_MAX_MARK_SIZE = 0.5
# Smallest component that is no mark, as a fraction of the highest of its number.
_MIN_DIGIT_HEIGHT = 0.5


class PageNumber(NamedTuple):
    """A group of components that may be a number.

    Attributes:
      components: its components, from left to right.
      comb: the printed cells in which it is written, or None.
      log_odds: log odds that it is a handwritten number.
      line: number of its text line, from 1.
    """

    components: PageComponents
    comb: Comb | None
    log_odds: float = 0.0
    line: int = 1

    @property
    def digit_height(self) -> float:
        """Median height of the components that are no marks, in pixels."""
        height = self.components.height
        return float(np.median(height[height >= _MIN_DIGIT_HEIGHT * height.max()]))


def find_page_numbers(page: PageInk) -> list[PageNumber]:
    """Finds what may be a number on a page, in reading order.

    Args:
      page: the ink of the page.
    """
    combs, strokes = find_combs(page.strokes, page.rules)
    components = measure_components(strokes)
    is_character = select_characters(components)
    is_drawing = find_drawings(page, components, is_character)
    components = components._replace(is_drawing=is_drawing)
    characters = components.take(is_character)
    slope = estimate_slope(characters)
    characters = _weigh_characters(characters, page, slope)
    is_printed = characters.print_odds > _MAX_PRINT_ODDS
    groups = _find_groups(characters.take(~is_printed), combs, slope, page.rules)
    numbers = _weigh_groups(groups, characters.take(is_printed), page)
    marks = components.take(~is_character)
    return _sort([_add_marks(number, marks) for number in numbers], slope)


def _weigh_characters(
    characters: PageComponents, page: PageInk, slope: float
) -> PageComponents:
    """Weighs whether each character is printed."""
    odds = weigh_print(characters, page.ink.foreground)
    chain = chain_neighbors(characters.box, slope, _MAX_GAP, rules=page.rules)
    word = find_words(characters.box, chain)
    odds = smooth_along_lines(odds + weigh_alignment(characters, word), word)
    odds = spread_majority(odds, characters, word, chain)
    odds = weigh_line_style(odds, characters, chain)
    return characters._replace(print_odds=odds)


def _find_groups(
    characters: PageComponents, combs: list[Comb], slope: float, rules: np.ndarray
) -> list[PageNumber]:
    """Groups characters by their combs and by the gaps between them."""
    assigned = assign_to_combs(characters, combs)
    numbers = [
        PageNumber(characters.take(assigned == i), combs[i])
        for i in np.unique(assigned[assigned >= 0])
    ]
    free = characters.take(assigned < 0)
    group = chain_neighbors(free.box, slope, _MAX_GAP, rules=rules)
    for i in range(group.max(initial=-1) + 1):
        chain = free.take(group == i)
        part = split_at_wide_gaps(chain.box)
        numbers += [PageNumber(chain.take(part == k), None) for k in np.unique(part)]
    return [n for n in numbers if len(n.components.label) <= _MAX_GROUP_SIZE]


def _weigh_groups(
    numbers: list[PageNumber], printed: PageComponents, page: PageInk
) -> list[PageNumber]:
    """Weighs groups, and leaves out those that are certainly no number."""
    weighed = [number._replace(log_odds=_weigh(number, page)) for number in numbers]
    likely = [number for number in weighed if number.log_odds >= _MIN_LOG_ODDS]
    groups = [number.components for number in likely]
    odds = weigh_lone_strokes(groups, [number.log_odds for number in likely])
    of_print = weigh_page_style(groups, printed).tolist()
    return [
        number._replace(log_odds=log_odds - print_odds)
        for number, log_odds, print_odds in zip(likely, odds, of_print, strict=True)
    ]


def _weigh(number: PageNumber, page: PageInk) -> float:
    """Returns the log odds that a group is a number."""
    if number.comb is not None:
        return _COMB_ODDS
    return weigh_number(page, number.components)


def _add_marks(number: PageNumber, marks: PageComponents) -> PageNumber:
    """Adds small components between or in the characters of a number."""
    own = number.components
    left, top, right, bottom = own.bounds
    x, y = marks.center.T
    is_inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    size = np.maximum(marks.width, marks.height)
    is_inside &= size <= _MAX_MARK_SIZE * float(np.median(own.height))
    if not is_inside.any():
        return number
    return number._replace(components=own.join(marks.take(is_inside)))


def _sort(numbers: list[PageNumber], slope: float) -> list[PageNumber]:
    """Sorts numbers in reading order, and numbers their lines."""
    numbers = sorted(numbers, key=lambda number: number.components.bounds[0])
    boxes = np.array([number.components.bounds for number in numbers]).reshape(-1, 4)
    lines = number_lines(boxes, slope).tolist()
    order = np.lexsort([boxes[:, 0], lines])
    return [numbers[i]._replace(line=lines[i]) for i in order.tolist()]

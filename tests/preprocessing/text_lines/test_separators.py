"""Tests of separators, on marks whose size and place are known."""

import numpy as np
import pytest

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines import CHARACTER, SKIPPED
from cnn.preprocessing.text_lines.line_lattice import make_lattice
from tests.preprocessing.text_lines.test_line_lattice import (
    HEIGHT,
    TOP,
    draw_line,
    one,
    zero,
)

BOTTOM = TOP + HEIGHT
MARKS = {
    ".": [[(112, BOTTOM - 2), (117, BOTTOM - 2)]],
    ",": [[(115, BOTTOM - 4), (111, BOTTOM + 10)]],
    "-": [[(106, TOP + 22), (124, TOP + 22)]],
    "/": [[(107, BOTTOM + 4), (125, TOP - 4)]],
    ":": [
        [(112, TOP + 15), (117, TOP + 15)],
        [(112, BOTTOM - 5), (117, BOTTOM - 5)],
    ],
}


def find_marks(lattice):
    """Returns the log odds of the symbols of the ink in columns 100 to 130."""
    found = {}
    for symbol, box, odds in zip(
        lattice.symbols, lattice.boxes, lattice.log_odds, strict=True
    ):
        if box[0] > 100 and box[2] < 130 and symbol != CHARACTER:
            found[symbol] = max(odds, found.get(symbol, -np.inf))
    return found


@pytest.mark.parametrize("symbol", MARKS)
def test_a_mark_between_digits_is_most_probably_itself(symbol):
    mask = draw_line(one(30), zero(60), *MARKS[symbol], zero(145), one(200))
    found = find_marks(make_lattice(mask, Placement(20, by_center_of_mass=True)))
    assert found[symbol] > 0
    others = [odds for mark, odds in found.items() if mark not in (symbol, SKIPPED)]
    # A colon's lower dot is a full stop.
    assert symbol == ":" or all(odds < found[symbol] for odds in others)


def test_a_digit_is_no_separator():
    mask = draw_line(one(30), zero(60), zero(105, width=18), zero(145), one(200))
    found = find_marks(make_lattice(mask, Placement(20, by_center_of_mass=True)))
    assert not set(".,-:") & set(found)
    assert found.get("/", -9) < -1

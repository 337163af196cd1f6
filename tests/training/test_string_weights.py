"""Lines whose right weights are known, as the network's output was made for them."""

import numpy as np
import pytest

from cnn.decoding import PathWeights
from cnn.preprocessing.text_lines import CHARACTER, FEATURES
from cnn.training import string_weights
from cnn.training.string_weights import ReadLine, decode, fit_confidence
from tests.decoding.lattices import CLASS_NAMES, make_lattice, make_line, output

ARCS = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, CHARACTER)]


def make_ambiguous_line(rng, is_one: bool) -> ReadLine:
    """Makes a line that is one digit or two, which only the ink of its cut tells."""
    first, whole, last = (str(digit) for digit in rng.integers(0, 10, 3))
    outputs = [output(**{f"_{name}": 0.9}) for name in (first, whole, last)]
    lattice = make_lattice(ARCS)
    cut_ink = lattice.features[:, FEATURES.index("cut_ink")]
    cut_ink[[0, 2]] = 0.5 if is_one else 0.1
    text = whole if is_one else first + last
    return ReadLine(make_line(lattice), (np.stack(outputs),), text)


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(0)
    return [make_ambiguous_line(rng, i % 2 == 0) for i in range(60)]


def test_fitted_weights_read_what_the_first_ones_do_not(lines):
    first = PathWeights()
    weights = string_weights.fit_path_weights(lines, CLASS_NAMES, first)
    assert weights.cut_ink < -1
    right = [decode(line, CLASS_NAMES, weights).text == line.text for line in lines]
    before = [decode(line, CLASS_NAMES, first).text == line.text for line in lines]
    assert np.mean(before) < 0.6
    assert all(right)


def test_the_gradient_is_the_slope_of_the_loss(lines):
    measured = string_weights._measure(lines[0], CLASS_NAMES)
    values = np.linspace(-0.3, 0.5, len(string_weights.PATH_TERMS))

    def log_total(values, is_right):
        return string_weights._sum_lattices(measured, values, is_right)

    for is_right in (False, True):
        gradient = log_total(values, is_right).gradient
        for index in range(len(values)):
            step = np.zeros(len(values))
            step[index] = 1e-5
            after = log_total(values + step, is_right).log_total
            before = log_total(values - step, is_right).log_total
            assert gradient[index] == pytest.approx((after - before) / 2e-5, abs=1e-4)


def test_lines_without_a_path_of_the_right_text_do_not_matter(lines):
    unreadable = lines[0]._replace(text="1234")
    first = PathWeights()
    weights = string_weights.fit_path_weights(lines, CLASS_NAMES, first)
    with_it = string_weights.fit_path_weights([*lines, unreadable], CLASS_NAMES, first)
    np.testing.assert_allclose(with_it, weights, atol=0.01)


def test_the_confidence_is_as_often_right_as_it_says(lines):
    # Every fourth text is wrong, at whatever share.
    wrong = [
        line._replace(text="99") if i % 4 == 0 else line for i, line in enumerate(lines)
    ]
    weights = string_weights.fit_path_weights(lines, CLASS_NAMES, PathWeights())
    weights = fit_confidence(wrong, CLASS_NAMES, weights)
    confidence = [decode(line, CLASS_NAMES, weights).confidence for line in wrong]
    assert np.mean(confidence) == pytest.approx(0.75, abs=0.03)

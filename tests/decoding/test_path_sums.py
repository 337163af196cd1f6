import re

import numpy as np
import pytest

from cnn.decoding.number_states import make_states
from cnn.decoding.path_sums import relative_weights, sum_paths
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import CHARACTER, SKIPPED
from tests.decoding.lattices import (
    CLASS_NAMES,
    make_lattice,
    random_lattice,
    random_scores,
    sum_by_text,
)


def sum_fitting(lattice, scores, pattern):
    weights = relative_weights(lattice, scores)
    states = make_states(pattern, CLASS_NAMES, lattice.num_cuts - 1)
    return sum_paths(lattice, weights, states).total * np.exp(weights.log_best)


@pytest.mark.parametrize("seed", range(5))
def test_the_total_is_the_sum_over_all_paths(seed):
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng, symbols=(CHARACTER, CHARACTER, ".", SKIPPED))
    scores = random_scores(rng, lattice)
    expected = sum(sum_by_text(lattice, scores).values())
    assert sum_fitting(lattice, scores, NumberPattern()) == pytest.approx(expected)


@pytest.mark.parametrize("lengths", [(2, 2), (1, 3), (4, 4), (3, 1000)])
def test_a_range_of_lengths_takes_the_paths_of_these_lengths(lengths):
    rng = np.random.default_rng(7)
    lattice = random_lattice(rng, symbols=(CHARACTER, CHARACTER, ".", SKIPPED))
    scores = random_scores(rng, lattice)
    shortest, longest = lengths
    expected = sum(
        weight
        for text, weight in sum_by_text(lattice, scores).items()
        if shortest <= len(text) <= longest
    )
    pattern = NumberPattern(lengths=lengths)
    assert sum_fitting(lattice, scores, pattern) == pytest.approx(expected)


def test_a_pattern_takes_the_paths_that_match_it():
    rng = np.random.default_rng(3)
    lattice = random_lattice(rng, symbols=(CHARACTER,))
    scores = random_scores(rng, lattice)
    expected = sum(
        weight
        for text, weight in sum_by_text(lattice, scores).items()
        if re.fullmatch(r"4\d\d", text)
    )
    pattern = NumberPattern(pattern="4dd")
    assert sum_fitting(lattice, scores, pattern) == pytest.approx(expected)


def test_a_separator_of_the_pattern_may_be_missing_at_a_cost():
    lattice = make_lattice([(0, 1, CHARACTER), (1, 2, CHARACTER)])
    scores = random_scores(np.random.default_rng(0), lattice)
    total = sum_fitting(lattice, scores, NumberPattern(pattern="dd"))
    with_separator = sum_fitting(lattice, scores, NumberPattern(pattern="d.d"))
    assert with_separator == pytest.approx(0.2 * total)


def test_sums_of_a_long_line_of_surest_pieces_are_finite():
    lattice = make_lattice([(i, i + 1, CHARACTER) for i in range(500)])
    scores = random_scores(np.random.default_rng(0), lattice)
    scores = scores._replace(characters=scores.characters + 50)
    weights = relative_weights(lattice, scores)
    states = make_states(NumberPattern(), CLASS_NAMES, 500)
    assert np.isfinite(sum_paths(lattice, weights, states).total)
    assert weights.log_best > 25_000


def test_a_lattice_without_a_path_has_a_total_of_zero():
    lattice = make_lattice([(0, 1, CHARACTER), (2, 3, CHARACTER)])
    scores = random_scores(np.random.default_rng(0), lattice)
    weights = relative_weights(lattice, scores)
    assert weights.log_best == -np.inf
    states = make_states(NumberPattern(), CLASS_NAMES, 3)
    assert sum_paths(lattice, weights, states).total == 0

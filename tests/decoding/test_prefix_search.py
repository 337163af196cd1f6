import numpy as np
import pytest

from cnn.decoding.number_states import make_states
from cnn.decoding.path_sums import relative_weights, sum_paths
from cnn.decoding.prefix_search import find_texts
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import CHARACTER, SKIPPED
from tests.decoding.lattices import (
    CLASS_NAMES,
    random_lattice,
    random_scores,
    sum_by_text,
)


def search(lattice, scores, pattern):
    weights = relative_weights(lattice, scores)
    states = make_states(pattern, CLASS_NAMES, lattice.num_cuts - 1)
    sums = sum_paths(lattice, weights, states)
    texts = find_texts(lattice, weights, sums, states, CLASS_NAMES)
    scale = np.exp(weights.log_best)
    return {text: found.weight * scale for text, found in texts.items()}


@pytest.mark.parametrize("seed", range(10))
def test_the_best_text_is_that_of_all_paths_by_its_sum(seed):
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng, symbols=(CHARACTER, CHARACTER, CHARACTER, SKIPPED))
    scores = random_scores(rng, lattice)
    expected = sum_by_text(lattice, scores)
    best = max(expected, key=expected.__getitem__)
    found = search(lattice, scores, NumberPattern())
    assert max(found, key=found.__getitem__) == best
    assert found[best] == pytest.approx(expected[best], rel=1e-2)


@pytest.mark.parametrize("seed", range(10))
def test_the_best_text_of_a_length_is_found_however_improbable(seed):
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng)
    scores = random_scores(rng, lattice)
    # Four digits are improbable by far.
    scores = scores._replace(characters=scores.characters - 20)
    texts = sum_by_text(lattice, scores).items()
    expected = {text: weight for text, weight in texts if len(text) == 4}
    best = max(expected, key=expected.__getitem__)
    found = search(lattice, scores, NumberPattern(lengths=(4, 4)))
    assert max(found, key=found.__getitem__) == best
    assert found[best] == pytest.approx(expected[best], rel=1e-2)
    assert {len(text) for text in found} == {4}


def test_separators_that_are_named_are_part_of_the_text():
    rng = np.random.default_rng(1)
    lattice = random_lattice(rng, symbols=(CHARACTER, ".", ","))
    scores = random_scores(rng, lattice)
    expected = sum_by_text(lattice, scores, kept=".")
    best = max(expected, key=expected.__getitem__)
    found = search(lattice, scores, NumberPattern(separators="."))
    assert max(found, key=found.__getitem__) == best
    assert not any("," in text for text in found)


def test_every_text_of_a_pattern_has_its_separators():
    rng = np.random.default_rng(2)
    lattice = random_lattice(rng, num_cuts=6, symbols=(CHARACTER, CHARACTER, "."))
    scores = random_scores(rng, lattice)
    found = search(lattice, scores, NumberPattern(pattern="d.dd"))
    assert found
    assert all(len(text) == 4 and text[1] == "." for text in found)

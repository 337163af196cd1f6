import numpy as np
import pytest

from cnn.candidate_mixture import combine_candidates

SURE_OF_1 = [0.001, 0.997, 0.001, 0.001]
SURE_OF_2 = [0.001, 0.001, 0.997, 0.001]
UNIFORM = [0.25, 0.25, 0.25, 0.25]


def combine(*rows, weights=None):
    weights = np.ones(len(rows)) if weights is None else np.array(weights)
    return combine_candidates(np.array(rows, np.float32), weights)


def test_one_segmentation_is_returned_bit_for_bit():
    row = np.float32([[0.3, 0.6, 0.1]])
    np.testing.assert_array_equal(
        combine_candidates(row, np.ones(1)).probabilities, row[0]
    )


def test_a_segmentation_of_no_character_does_not_lower_the_confidence():
    mixture = combine(UNIFORM, SURE_OF_1)
    assert mixture.probabilities[1] == pytest.approx(0.997, abs=1e-3)
    assert mixture.best == 1


def test_two_sure_segmentations_of_different_characters_are_a_doubt():
    mixture = combine(SURE_OF_1, SURE_OF_2)
    np.testing.assert_allclose(mixture.probabilities, [0.001, 0.499, 0.499, 0.001])
    assert mixture.best == 0


def test_the_surer_of_two_sure_segmentations_does_not_win_against_its_weight():
    surer = [0.0001, 0.9997, 0.0001, 0.0001]
    mixture = combine(surer, SURE_OF_2, weights=[1, 9])
    # Posterior 1:9, as both are as sure as the network can be.
    np.testing.assert_allclose(mixture.probabilities[1], 0.1, atol=2e-3)
    assert mixture.best == 1


def test_two_segmentations_of_the_same_character_agree():
    other = [0.05, 0.85, 0.05, 0.05]
    mixture = combine(other, SURE_OF_1)
    # Odds by hand: 0.8 / 0.2 = 4 and 0.98 / 0.02 = 49.
    expected = (4 * 0.85 + 49 * 0.997) / 53
    assert mixture.probabilities[1] == pytest.approx(expected, abs=1e-5)
    assert mixture.best == 1


def test_only_the_ratio_of_the_weights_counts():
    one = combine(SURE_OF_1, SURE_OF_2, weights=[1, 3]).probabilities
    other = combine(SURE_OF_1, SURE_OF_2, weights=[20, 60]).probabilities
    np.testing.assert_allclose(one, other, rtol=1e-6)

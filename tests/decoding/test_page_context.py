import numpy as np
import pytest

from cnn.decoding import Reading
from cnn.decoding.page_context import weigh_by_page
from cnn.preprocessing.text_lines import TextLine


def weigh(confidences, log_odds=None, text="12"):
    log_odds = log_odds or [0.0] * len(confidences)
    lines = [TextLine(np.zeros(4), (), np.ones(1), log_odds=odds) for odds in log_odds]
    readings = [Reading(text, confidence, (), 0, "") for confidence in confidences]
    return [reading.confidence for reading in weigh_by_page(lines, readings)]


def test_a_number_alone_keeps_its_confidence():
    assert weigh([0.9]) == pytest.approx([0.9])


def test_numbers_among_numbers_keep_their_confidence():
    assert weigh([0.99] * 20) == pytest.approx([0.99] * 20)


def test_a_number_among_words_is_less_probable():
    # Prior and neighbors: 2 + 10 * 0.01 numbers, 1 + 10 * 0.99 others, instead of 2 : 1.
    odds = 9 * (2.1 / 10.9) / 2
    assert weigh([0.9] + [0.01] * 10)[0] == pytest.approx(odds / (1 + odds), abs=1e-3)


def test_evidence_against_a_number_lowers_its_confidence():
    # Odds of 9, times e^-2.
    assert weigh([0.9], [-2.0]) == pytest.approx([0.549], abs=1e-3)


def test_evidence_for_a_number_outweighs_its_neighbors():
    assert weigh([0.9] + [0.01] * 10, [4.0] + [0.0] * 10)[0] == pytest.approx(0.9)


def test_a_page_without_numbers_has_none():
    assert weigh_by_page([], []) == []


def test_more_than_two_ones_alone_may_be_hatching():
    assert weigh([0.9], text="11") == pytest.approx([0.9])
    # Odds of 9, times e^-2 for each further 1.
    assert weigh([0.9], text="111") == pytest.approx([0.549], abs=1e-3)
    assert weigh([0.9], text="1111") == pytest.approx([0.142], abs=1e-3)

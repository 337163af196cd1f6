import numpy as np
import pytest

from cnn.decoding import PathWeights, Reading, decode_line
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import CHARACTER, SKIPPED
from tests.decoding.lattices import CLASS_NAMES, make_lattice, make_line, output

THREE = make_lattice([(0, 1, CHARACTER), (1, 2, CHARACTER), (2, 3, CHARACTER)])
SURE = np.stack([output(_4=0.99), output(_0=0.95, _6=0.03), output(_7=0.999)])


def decode(line, outputs, **known):
    pattern = NumberPattern(**known)
    return decode_line(line, outputs, CLASS_NAMES, pattern, PathWeights())


def test_pieces_in_a_row_are_read_in_order_with_their_boxes():
    reading = decode(make_line(THREE), [SURE])
    assert reading.text == "407"
    assert [character.box for character in reading.characters] == [
        (0, 0, 15, 28),
        (20, 0, 35, 28),
        (40, 0, 55, 28),
    ]
    assert reading.characters[1].prediction == "0"
    assert reading.characters[1].runner_up == "6"
    assert reading.characters[1].confidence == pytest.approx(0.95, abs=0.001)
    # The three are independent, as there is one way to cut.
    assert reading.confidence == pytest.approx(0.99 * 0.95 * 0.999, abs=0.001)
    assert reading.detail == ""


def test_the_cut_whose_pieces_are_characters_wins():
    # One 4, or two pieces of it that are no character.
    arcs = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, CHARACTER)]
    uniform = output(_1=0.11)
    outputs = np.stack([uniform, output(_4=0.98), output(_1=0.3)])
    assert decode(make_line(make_lattice(arcs)), [outputs]).text == "4"
    # Two digits, or both in one piece.
    outputs = np.stack([output(_1=0.98), uniform, output(_2=0.98)])
    reading = decode(make_line(make_lattice(arcs)), [outputs])
    assert reading.text == "12"
    assert [character.arc for character in reading.characters] == [0, 2]


def test_equal_readings_of_two_cuts_make_a_character_sure():
    # The same digit with or without a speck beside it.
    arcs = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, SKIPPED)]
    outputs = np.stack([output(_5=0.97), output(_5=0.97), output()])
    reading = decode(make_line(make_lattice(arcs)), [outputs])
    assert reading.text == "5"
    assert reading.characters[0].confidence > 0.96


def test_the_most_probable_segmentation_of_the_ink_is_read():
    noise = make_lattice([(0, 1, CHARACTER)])
    line = make_line(noise, THREE)
    reading = decode(line, [output(_1=0.2)[None], SURE])
    assert (reading.text, reading.lattice) == ("407", 1)
    # The prior decides between segmentations that look alike.
    other = SURE[:, ::-1]
    line = make_line(THREE, THREE, weights=[0.1, 0.9])
    assert decode(line, [SURE, other]).lattice == 1
    assert decode(line, [other, SURE]).text == "407"


def test_segmentations_that_differ_make_the_text_doubtful():
    line = make_line(THREE, THREE)
    other = SURE.copy()
    other[0] = output(_9=0.99)
    assert decode(line, [SURE, other]).confidence < 0.6
    assert decode(line, [SURE, SURE]).confidence > 0.9


def test_a_length_that_fits_leaves_the_reading_as_it_is():
    reading = decode(make_line(THREE), [SURE], lengths=(3, 3))
    assert (reading.text, reading.detail) == ("407", "")
    assert reading.confidence == pytest.approx(0.99 * 0.95 * 0.999, abs=0.001)


def test_a_length_decides_between_ways_to_cut():
    arcs = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, CHARACTER)]
    outputs = np.stack([output(_1=0.8), output(_4=0.8), output(_1=0.8)])
    line = make_line(make_lattice(arcs))
    assert decode(line, [outputs], lengths=(1, 1)).text == "4"
    assert decode(line, [outputs], lengths=(2, 2)).text == "11"


def test_an_improbable_text_that_fits_is_doubtful_and_says_why():
    # Two clear digits, which are improbable as one.
    arcs = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, CHARACTER)]
    outputs = np.stack([output(_1=0.98), output(_4=0.3), output(_7=0.98)])
    reading = decode(make_line(make_lattice(arcs)), [outputs], lengths=(1, 1))
    assert reading.text == "4"
    assert reading.confidence < 0.1
    assert reading.detail == "reads as 17, which does not fit --length 1"


def test_what_cannot_fit_is_read_without_confidence():
    reading = decode(make_line(THREE), [SURE], lengths=(8, 10))
    assert (reading.text, reading.confidence) == ("407", 0)
    assert reading.detail == "reads as 407, which does not fit --length 8-10"
    reading = decode(make_line(THREE, detail="print left out"), [SURE], pattern="d.d")
    assert reading.detail == (
        "print left out; reads as 407, which does not fit --pattern d.d"
    )


DATE = make_lattice(
    [
        (0, 1, CHARACTER),
        (1, 2, "."),
        (1, 2, SKIPPED),
        (2, 3, CHARACTER),
        (3, 4, "-"),
        (4, 5, CHARACTER),
    ],
    log_odds=[0, 3, -3, 0, 2, 0],
)
OF_DATE = np.stack([SURE[0], output(), output(), SURE[1], output(), SURE[2]])


def test_separators_are_passed_over_unless_they_are_named():
    reading = decode(make_line(DATE), [OF_DATE])
    assert (reading.text, reading.detail) == ("407", "passed over: . -")
    assert len(reading.characters) == 3
    reading = decode(make_line(DATE), [OF_DATE], separators=".")
    assert (reading.text, reading.detail) == ("4.07", "passed over: -")
    assert [character.prediction for character in reading.characters] == list("4.07")
    assert reading.characters[1].runner_up == ""


def test_a_pattern_fills_in_a_separator_that_is_not_seen():
    reading = decode(make_line(DATE), [OF_DATE], pattern="d.d-d")
    assert (reading.text, len(reading.characters)) == ("4.0-7", 5)
    reading = decode(make_line(THREE), [SURE], pattern="d.d-d")
    assert (reading.text, len(reading.characters)) == ("4.0-7", 3)
    assert reading.confidence > 0.9
    assert reading.detail == ""


def test_a_line_without_a_path_has_no_text():
    broken = make_lattice([(0, 1, CHARACTER), (2, 3, CHARACTER)])
    reading = decode(make_line(broken), [SURE[:2]])
    assert reading == Reading("", 0.0, (), 0, "")


def test_only_skipped_ink_has_no_text():
    reading = decode(make_line(make_lattice([(0, 1, SKIPPED)])), [output()[None]])
    assert (reading.text, reading.confidence) == ("", 0)


def test_letters_fit_a_pattern_of_a_model_without_digits():
    names = tuple("ABCDEFGHIJ")
    known = NumberPattern(pattern="dd-d")
    assert decode_line(make_line(THREE), [SURE], names, known).text == "EA-H"


def test_weights_change_what_is_read():
    # One piece of two fragments, or two pieces, equally probable but for their number.
    arcs = [(0, 1, CHARACTER), (0, 2, CHARACTER), (1, 2, CHARACTER)]
    outputs = np.stack([output(_1=0.6), output(_4=0.6), output(_1=0.6)])
    line = make_line(make_lattice(arcs))
    many = decode_line(
        line, [outputs], CLASS_NAMES, weights=PathWeights(odds=0, character=5)
    )
    few = decode_line(
        line, [outputs], CLASS_NAMES, weights=PathWeights(odds=0, character=-5)
    )
    assert (many.text, few.text) == ("11", "4")


def test_evidence_against_a_number_reduces_the_confidence_by_its_odds():
    weights = PathWeights()
    plain = decode_line(make_line(THREE), [SURE], CLASS_NAMES, weights=weights)
    line = make_line(THREE, log_odds=-np.log(9))
    doubtful = decode_line(line, [SURE], CLASS_NAMES, weights=weights)
    odds = plain.confidence / (1 - plain.confidence)
    assert doubtful.confidence == pytest.approx(odds / 9 / (1 + odds / 9))


def test_a_slanted_1_is_a_slash_only_where_slashes_are_asked_for():
    arcs = [(0, 1, CHARACTER), (1, 2, CHARACTER), (1, 2, "/"), (2, 3, CHARACTER)]
    line = make_line(make_lattice(arcs, log_odds=[0, 0, 5, 0]))
    outputs = np.stack([SURE[0], output(_1=0.9), output(), SURE[2]])
    assert decode(line, [outputs]).text == "417"
    assert decode(line, [outputs], separators="/").text == "4/7"

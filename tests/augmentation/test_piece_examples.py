import cv2
import numpy as np
import pytest

from cnn.augmentation.piece_examples import (
    box_overlaps,
    is_straight_stroke,
    label_pieces,
    make_piece_examples,
)
from cnn.augmentation.simulated_strings import SimulatedLine
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines import CHARACTER, FEATURES, SKIPPED, Lattice, TextLine

PLACEMENT = Placement(box=20, by_center_of_mass=True)


def draw(*columns) -> np.ndarray:
    """Draws vertical bars with feet, `float32 (28, 28)`."""
    image = np.zeros((28, 28), np.float32)
    for column in columns:
        image[4:24, column : column + 3] = 1
        image[21:24, column : column + 8] = 1
    return image


def make_found(pieces) -> TextLine:
    """Makes a segmentation of (image, box, symbol)."""
    images, boxes, symbols = zip(*pieces, strict=True)
    count = len(pieces)
    lattice = Lattice(
        count + 1,
        np.arange(count, dtype=np.int32),
        np.arange(1, count + 1, dtype=np.int32),
        symbols,
        np.stack(images),
        np.array(boxes, np.float32),
        np.ones((count, len(FEATURES)), np.float32),
        np.zeros(count, np.float32),
    )
    return TextLine(np.zeros(4, np.float32), (lattice,), np.ones(1, np.float32))


def test_the_overlap_of_boxes_is_intersection_over_union():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [40, 0, 50, 10]], np.float32)
    expected = [[1, 50 / 150, 0], [0, 0, 0]]
    np.testing.assert_allclose(box_overlaps(boxes, others), expected)


def test_pieces_are_right_wrong_or_left_out():
    one, two = draw(12), draw(4, 20)
    line = SimulatedLine(
        np.zeros((28, 60), np.uint8),
        "41.",
        np.array([[0, 0, 20, 20], [30, 0, 40, 20], [45, 15, 48, 20]], np.float32),
        [two, one, one],
    )
    found = make_found(
        [
            (two, (0, 0, 20, 20), CHARACTER),  # The 4.
            (draw(4), (0, 0, 4, 20), CHARACTER),  # A part of it.
            (two, (0, 0, 14, 20), CHARACTER),  # Most of it.
            (one, (30, 0, 40, 20), CHARACTER),  # The 1.
            (draw(0, 12, 24), (0, 0, 40, 20), CHARACTER),  # Both.
            (two, (30, 0, 40, 20), CHARACTER),  # Its place, but other ink.
            (one, (30, 0, 40, 20), SKIPPED),
            (one, (45, 15, 48, 20), CHARACTER),  # The point.
        ]
    )
    labels = [label for _, label in label_pieces(line, found)]
    assert labels == [4, None, 1, None]


def test_all_pieces_of_a_line_without_a_number_are_wrong():
    line = SimulatedLine(
        np.zeros((28, 60), np.uint8), "", np.zeros((0, 4), np.float32), []
    )
    found = make_found([(draw(4), (0, 0, 4, 20), CHARACTER)])
    assert [label for _, label in label_pieces(line, found)] == [None]


@pytest.fixture(scope="module")
def examples(mnist_test):
    images, targets = mnist_test.images[:200], np.eye(10, dtype=np.float32)
    targets = targets[mnist_test.labels[:200]]
    return make_piece_examples(3, images, targets, 60, PLACEMENT)


def test_examples_are_digits_and_about_as_many_pieces_of_no_class(examples):
    images, targets = examples
    assert (images.shape, images.dtype) == ((60, 28, 28, 1), np.uint8)
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    is_digit = targets.max(1) == 1
    assert (targets[~is_digit] == np.float32(0.1)).all()
    assert 0.4 <= is_digit.mean() <= 0.9
    assert (images.max((1, 2, 3)) > 127).all()


def test_examples_depend_on_the_seed_alone(examples, mnist_test):
    images, targets = mnist_test.images[:200], np.eye(10, dtype=np.float32)
    targets = targets[mnist_test.labels[:200]]
    again = make_piece_examples(3, images, targets, 60, PLACEMENT)
    np.testing.assert_array_equal(again[0], examples[0])
    other = make_piece_examples(4, images, targets, 60, PLACEMENT)
    assert not np.array_equal(other[0], examples[0])


@pytest.mark.parametrize("end", [(14, 24), (22, 23), (6, 20)])
def test_a_straight_stroke_in_any_direction_is_told_from_a_bent_one(end):
    straight = np.zeros((28, 28), np.uint8)
    cv2.line(straight, (14, 4), end, 255, 3)
    bent = straight.copy()
    cv2.line(bent, (14, 4), (4, 8), 255, 3)

    assert is_straight_stroke(straight / 255)
    assert not is_straight_stroke(bent / 255)

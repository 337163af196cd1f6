import cv2
import numpy as np
import pytest

from cnn import handwriting


def test_as_many_as_asked_for_of_each_form_in_turn():
    pictures, labels = handwriting.draw(0, 70)
    assert (pictures.shape, pictures.dtype) == ((70, 28, 28, 1), np.uint8)
    assert np.bincount(labels, minlength=10).tolist() == [0, 10, 0, 10, 10, 10, 0, 10, 10, 10]


def test_the_seed_decides():
    first, again, other = (handwriting.draw(seed, 30)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_digits_are_placed_as_mnists_are():
    pictures = handwriting.draw(3, 60)[0][..., 0] / 255
    for picture in pictures:
        rows, columns = (np.flatnonzero((picture > 0.2).any(axis)) for axis in (1, 0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        y, x = np.mgrid[:28, :28]
        middle = np.array([(picture * y).sum(), (picture * x).sum()]) / picture.sum()
        assert np.abs(middle - 14).max() < 0.7


@pytest.mark.parametrize("label", handwriting.FORMS)
def test_strokes_are_in_their_box_and_run_from_top_to_foot(label):
    rng = np.random.default_rng(label)
    for _ in range(50):
        points = np.concatenate(handwriting.FORMS[label](rng))
        assert points.min() > -0.35
        assert points.max() < 1.35
        assert np.ptp(points[:, 1]) > 0.75


def test_a_one_has_an_upstroke_to_its_left_and_a_seven_a_bar_or_a_hook():
    rng = np.random.default_rng(5)
    for _ in range(50):
        upstroke = handwriting.one(rng)[0]
        assert upstroke[0, 0] < upstroke[-1, 0]  # From the left to the top.
        assert upstroke[0, 1] > upstroke[-1, 1]
        assert len(handwriting.seven(rng)) >= 3


def test_a_four_is_open_and_its_stem_begins_near_its_bar():
    rng = np.random.default_rng(6)
    for _ in range(50):
        down, bar, stem = handwriting.four(rng)
        assert down[0, 0] < stem[0, 0]
        assert down[0, 1] < stem[0, 1] <= bar[-1, 1] + 0.03
        assert stem[-1, 1] > bar[:, 1].max() + 0.1


def test_a_three_has_a_flat_top_and_a_belly_to_its_right():
    rng = np.random.default_rng(7)
    for _ in range(50):
        top, aslant, belly = handwriting.three(rng)
        assert np.ptp(top[:, 1]) < 0.15
        assert aslant[-1, 0] < aslant[0, 0]  # Back to the left.
        assert belly[:, 0].max() > belly[0, 0] + 0.1
        assert belly[:, 1].max() > aslant[-1, 1] + 0.4


def test_the_bar_of_a_five_is_at_its_top_and_the_last_that_is_written():
    rng = np.random.default_rng(8)
    for _ in range(50):
        neck, belly, bar = handwriting.five(rng)
        assert np.abs(bar[:, 1] - neck[0, 1]).max() < 0.3
        assert neck[-1, 1] < belly[:, 1].max() == pytest.approx(1, abs=0.01)
        assert bar[-1, 0] > bar[0, 0]


def test_an_eight_has_two_loops_of_which_the_upper_may_not_quite_close():
    rng = np.random.default_rng(9)
    loops = set()
    for _ in range(50):
        (swing,) = handwriting.eight(rng)
        canvas = np.ones((400, 400), np.uint8)
        points = np.rint(300 * swing + 50).astype(np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=0, thickness=20)
        around = cv2.connectedComponents(canvas, connectivity=4)[0] - 1
        loops.add(around - 1)
    assert loops == {1, 2}


def test_an_arc_by_hand():
    points = handwriting.arc(np.array([1.0, 1.0]), np.array([1.0, 2.0]), 0, 0.25)
    np.testing.assert_allclose(points[[0, -1]], [[2, 1], [1, 3]], atol=1e-12)  # From its right to its foot.
    np.testing.assert_allclose((points[:, 0] - 1) ** 2 + (points[:, 1] - 1) ** 2 / 4, 1)


def test_a_curve_by_hand():
    points = handwriting.curve(np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([2.0, 0.0]))
    np.testing.assert_allclose(points[[0, -1]], [[0, 0], [2, 0]])
    np.testing.assert_allclose(points[:, 1], points[:, 0] * (2 - points[:, 0]), atol=1e-12)  # A parabola.

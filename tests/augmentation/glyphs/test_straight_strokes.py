import numpy as np

from cnn.augmentation.glyphs import straight_strokes


def test_a_one_has_an_upstroke_to_its_left_and_a_seven_a_bar_or_a_hook():
    rng = np.random.default_rng(5)
    for _ in range(50):
        upstroke = straight_strokes.draw_one(rng)[0]
        assert upstroke[0, 0] < upstroke[-1, 0]  # From the left to the top.
        assert upstroke[0, 1] > upstroke[-1, 1]
        assert len(straight_strokes.draw_seven(rng)) >= 3


def test_a_four_is_open_and_its_stem_begins_near_its_bar():
    rng = np.random.default_rng(6)
    for _ in range(50):
        down, bar, stem = straight_strokes.draw_open_four(rng)
        assert down[0, 0] < stem[0, 0]
        assert down[0, 1] < stem[0, 1] <= bar[-1, 1] + 0.03
        assert stem[-1, 1] > bar[:, 1].max() + 0.1


def test_the_strokes_of_a_lightning_follow_each_other():
    rng = np.random.default_rng(7)
    for _ in range(50):
        down, bar, stem = straight_strokes.draw_lightning_four(rng)
        np.testing.assert_array_equal(down[-1], bar[0])
        np.testing.assert_array_equal(bar[-1], stem[0])


def test_the_stems_of_a_block_leave_no_gap_for_the_thinnest_pen():
    rng = np.random.default_rng(8)
    thinnest_pen = 5 / 96
    for _ in range(50):
        stems = np.stack(straight_strokes.draw_block_one(rng))
        feet = stems[:, -1, 0]
        assert np.diff(feet).max() <= thinnest_pen
        assert np.ptp(feet) >= 0.1

import numpy as np

from cnn.augmentation.glyphs import bowls


def test_the_flag_of_a_five_lies_to_the_right_of_its_neck():
    rng = np.random.default_rng(10)
    for _ in range(50):
        neck, _, flag = bowls.draw_five_with_detached_flag(rng)
        assert flag[0, 0] > neck[0, 0]
        assert flag[-1, 0] > flag[0, 0] + 0.25


def test_a_long_flag_starts_at_the_neck():
    rng = np.random.default_rng(11)
    for _ in range(50):
        neck, _, flag = bowls.draw_five_with_long_flag(rng)
        np.testing.assert_allclose(flag[0], neck[0], atol=0.1)
        assert np.ptp(flag[:, 0]) > 0.35


def test_the_top_of_a_flat_three_is_wide_and_its_bowl_starts_at_the_waist():
    rng = np.random.default_rng(12)
    for _ in range(50):
        top, slope, bowl = bowls.draw_flat_topped_three(rng)[:3]
        assert np.ptp(top[:, 1]) < 0.2
        assert np.ptp(top[:, 0]) > 0.4
        np.testing.assert_array_equal(slope[-1], bowl[0])

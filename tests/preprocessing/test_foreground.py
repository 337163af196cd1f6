import numpy as np

from cnn.preprocessing.foreground import foreground_candidates


def test_a_uniform_border_gives_one_unambiguous_candidate():
    gray = np.full((60, 80), 230, np.uint8)
    gray[20:40, 30:34] = 50
    (candidate,) = foreground_candidates(gray)
    assert candidate.unambiguous
    assert not candidate.may_touch_border
    assert candidate.sign == 1
    np.testing.assert_array_equal(candidate.levels, np.float32(230) - gray)
    (inverted,) = foreground_candidates(255 - gray)
    assert inverted.sign == -1
    np.testing.assert_array_equal(inverted.levels, candidate.levels)


def test_a_clean_bilevel_crop_gives_one_candidate_though_ink_touches_the_border():
    gray = np.full((28, 28), 255, np.uint8)
    gray[:20, 10:14] = 0
    (candidate,) = foreground_candidates(gray)
    assert candidate.unambiguous
    assert candidate.may_touch_border
    np.testing.assert_array_equal(candidate.levels, np.float32(255) - gray)


def test_a_small_photograph_of_two_levels_has_further_candidates():
    """Both levels are uniform, but less than in an image without a camera."""
    gray = np.full((40, 40), 190) + np.random.default_rng(0).normal(0, 8, (40, 40))
    gray[:24, :5] -= 140  # A shadow.
    gray[6:34, 24:27] -= 140
    candidates = foreground_candidates(np.rint(gray).astype(np.uint8))
    unambiguous = [candidate.unambiguous for candidate in candidates]
    assert len(unambiguous) > 1
    assert not unambiguous[0]

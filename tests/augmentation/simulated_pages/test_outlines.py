import numpy as np
import pytest

from cnn.augmentation.simulated_pages import outlines


def test_an_ellipse_has_the_given_axes_and_closes():
    outline = outlines.ellipse(30, 50)
    np.testing.assert_allclose(outline.max(0), [30, 50], rtol=1e-2)
    np.testing.assert_allclose(outline.min(0), [-30, -50], rtol=1e-2)
    np.testing.assert_allclose(outline[0], outline[-1], atol=1e-9)


def test_a_rounded_rectangle_lacks_its_corners():
    outline = outlines.rounded_rectangle(40, 30, radius=10)
    np.testing.assert_allclose(np.abs(outline).max(0), [40, 30])
    # The corner (40, 30) is (√2 − 1) · 10 away from the arc.
    nearest = np.hypot(*(outline - [40, 30]).T).min()
    assert nearest == pytest.approx(4.14, abs=0.1)
    np.testing.assert_allclose(outline[0], outline[-1])


def test_a_square_polygon_stands_on_a_corner():
    corners = outlines.polygon(4, 20, 20)
    np.testing.assert_allclose(
        corners, [[0, -20], [20, 0], [0, 20], [-20, 0], [0, -20]], atol=1e-9
    )


def test_a_hand_drawn_ellipse_goes_round_about_once():
    for seed in range(20):
        outline = outlines.hand_drawn_ellipse(np.random.default_rng(seed), 40, 40)
        angle = np.unwrap(np.arctan2(outline[:, 1], outline[:, 0]))
        assert 0.94 < np.ptp(angle) / (2 * np.pi) < 1.16
        radius = np.hypot(*outline.T)
        assert 30 < radius.min() <= radius.max() < 52


def test_a_line_is_drawn_along_the_outline_and_a_disc_within_it():
    outline = outlines.ellipse(20, 20)
    center = np.array([30, 25])
    line = outlines.draw_outline(outline, center, (50, 60), line_width=3)
    disc = outlines.draw_outline(outline, center, (50, 60), line_width=None)
    assert line.shape == disc.shape == (50, 60)
    assert line[25, 50] == 1
    assert line[25, 30] == 0
    assert disc[25, 30] == 1
    assert disc.sum() == pytest.approx(np.pi * 20.5**2, rel=0.03)
    assert outlines.rotate(outline, 90)[0] == pytest.approx([0, 20])

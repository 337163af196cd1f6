import numpy as np

from cnn.augmentation.glyphs.curves import (
    catmull_rom_spline,
    draw_stroke,
    ellipse_arc,
    point,
)


def test_a_spline_passes_its_knots_parallel_to_their_neighbors():
    knots = np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 2.0], [5.0, 0.0]])
    curve = catmull_rom_spline(knots)
    np.testing.assert_allclose(curve[[0, 11, 23, 35]], knots, atol=1e-12)
    # Around the second knot the curve runs along (4, 2), from the first to the third.
    across = curve[13] - curve[10]
    assert abs(across[1] / across[0] - 0.5) < 0.1


def test_a_spline_of_two_knots_is_straight():
    x, y = catmull_rom_spline(np.array([[0.0, 0.0], [2.0, 1.0]])).T
    np.testing.assert_allclose(x, 2 * y, atol=1e-12)


def test_a_quarter_of_an_ellipse_goes_from_the_right_to_the_bottom():
    arc = ellipse_arc(point(1, 1), point(2, 3), first_turn=0, last_turn=0.25)
    np.testing.assert_allclose(arc[[0, -1]], [[3, 1], [1, 4]], atol=1e-12)


def test_a_spiral_starts_inside():
    arc = ellipse_arc(point(0, 0), point(1, 1), 0, 1, first_size=0.5)
    np.testing.assert_allclose(arc[[0, -1]], [[0.5, 0], [1, 0]], atol=1e-12)


def test_a_stroke_without_bend_is_straight():
    rng = np.random.default_rng(0)
    x, y = draw_stroke(rng, point(0, 0), point(1, 3), max_bend=0).T
    np.testing.assert_allclose(y, 3 * x, atol=1e-12)

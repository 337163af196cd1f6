import numpy as np

from cnn.augmentation.bezier import quadratic_bezier


def test_a_symmetric_curve_is_a_parabola():
    points = quadratic_bezier(
        np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([2.0, 0.0])
    )
    np.testing.assert_allclose(points[[0, -1]], [[0, 0], [2, 0]])
    x, y = points.T
    np.testing.assert_allclose(y, x * (2 - x), atol=1e-12)

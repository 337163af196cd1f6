import numpy as np
import pytest

from cnn.augmentation.simulated_pages import compositing
from cnn.augmentation.simulated_pages.compositing import Layer


@pytest.mark.parametrize(
    ("corner", "rows", "columns"),
    [
        ((1, 2), slice(1, 3), slice(2, 5)),
        ((-1, -1), slice(0, 1), slice(0, 2)),
        ((4, 5), slice(4, 5), slice(5, 7)),
        ((-5, 0), slice(0, 0), slice(0, 0)),
        ((0, 20), slice(0, 0), slice(0, 0)),
    ],
)
def test_a_layer_is_cropped_to_the_page(corner, rows, columns):
    mark = np.ones((2, 3), np.float32)
    expected = np.zeros((5, 7), np.float32)
    expected[rows, columns] = 1
    result = compositing.composite_layers((5, 7), [Layer(mark, *corner)])
    np.testing.assert_array_equal(result, expected)


def test_the_largest_coverage_of_several_layers_counts():
    layers = [
        Layer(np.array([[0.2, 0.8]], np.float32), 0, 0),
        Layer(np.array([[0.5, 0.1]], np.float32), 0, 0),
    ]
    result = compositing.composite_layers((1, 2), layers)
    np.testing.assert_array_equal(result, np.array([[0.5, 0.8]], np.float32))


def test_layers_and_pages_are_not_changed():
    mark = np.full((2, 2), 0.5, np.float32)
    page = np.ones((2, 2, 3), np.float32)
    compositing.composite_layers((2, 2), [Layer(mark, 0, 0)])
    compositing.alpha_blend(page, np.zeros(3), mark)
    assert (mark == 0.5).all()
    assert (page == 1).all()


def test_ink_covers_the_page_by_its_coverage():
    page = np.ones((1, 2, 3))
    result = compositing.alpha_blend(page, np.array([0, 0.5, 1]), np.array([[0, 0.5]]))
    np.testing.assert_allclose(result, [[[1, 1, 1], [0.5, 0.75, 1]]])

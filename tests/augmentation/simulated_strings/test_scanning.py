import numpy as np
import pytest

from cnn.augmentation.simulated_strings import scanning
from cnn.augmentation.simulated_strings.simulated_line import (
    WrittenLine,
    find_boxes,
    find_hull,
    pad_line,
    resize_line,
    warp_line,
)


def draw_bars():
    """Two bars: columns 20 to 29 and 60 to 69 of rows 30 to 69."""
    coverage = np.zeros((100, 200), np.float32)
    coverage[30:70, 20:30] = 1
    coverage[30:70, 60:70] = 1
    left, right = coverage.copy(), coverage.copy()
    left[:, 40:] = 0
    right[:, :40] = 0
    glyph = np.ones((28, 28), np.float32)
    return WrittenLine(coverage, "11", [find_hull(left), find_hull(right)], [glyph] * 2)


def measure_boxes(dark):
    """The boxes of the two runs of dark columns."""
    columns = np.flatnonzero(dark.any(axis=0))
    split = int(np.argmax(np.diff(columns))) + 1
    boxes = []
    for part in (columns[:split], columns[split:]):
        rows = np.flatnonzero(dark[:, part].any(axis=1))
        boxes.append([part[0], rows[0], part[-1] + 1, rows[-1] + 1])
    return np.array(boxes)


def test_boxes_are_those_of_the_pixels():
    boxes = find_boxes(draw_bars().hulls)
    np.testing.assert_array_equal(boxes, [[20, 30, 30, 70], [60, 30, 70, 70]])


def test_padding_and_cropping_move_the_boxes():
    line = pad_line(draw_bars(), 5, -10, 0, -3)
    assert line.coverage.shape == (87, 205)
    np.testing.assert_array_equal(find_boxes(line.hulls)[0], [25, 20, 35, 60])
    np.testing.assert_array_equal(
        measure_boxes(line.coverage > 0.5)[0], [25, 20, 35, 60]
    )


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_scaling_moves_the_boxes_with_the_ink(scale):
    line = resize_line(draw_bars(), scale)
    expected = np.array([[20, 30, 30, 70], [60, 30, 70, 70]]) * scale
    np.testing.assert_allclose(find_boxes(line.hulls), expected)
    np.testing.assert_allclose(
        measure_boxes(line.coverage > 0.5), expected, atol=0.5 * scale + 0.5
    )


def test_a_homography_moves_the_boxes_with_the_ink():
    matrix = np.array([[1.1, 0.2, 4], [-0.1, 0.9, 20], [2e-4, 1e-4, 1]])
    line = warp_line(draw_bars(), matrix, (250, 150))
    np.testing.assert_allclose(
        find_boxes(line.hulls), measure_boxes(line.coverage > 0.4), atol=1.1
    )


def test_photographs_show_the_ink_in_its_boxes():
    line = draw_bars()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        layers = [(np.zeros(3), line.coverage)]
        photo = scanning.photograph_line(rng, line, layers, 300)
        assert max(photo.image.shape) == 300
        outside = photo.image.copy()
        for left, top, right, bottom in np.rint(photo.boxes).astype(int):
            middle = photo.image[(top + bottom) // 2, (left + right) // 2]
            assert middle < 0.5 * np.median(photo.image)
            outside[top - 3 : bottom + 3, left - 3 : right + 3] = 255
        assert outside.min() > photo.image[photo.image < np.median(photo.image)].min()


def test_uneven_ink_has_its_shape_and_is_fainter():
    coverage = draw_bars().coverage
    uneven = scanning.make_uneven(np.random.default_rng(0), coverage, 0.5)
    assert (uneven[coverage == 0] == 0).all()
    assert (uneven <= coverage).all()
    assert 0.2 < uneven[coverage == 1].mean() < 0.8


def test_a_scan_of_gray_paper_is_gray():
    page = np.full((60, 90), 0.5, np.float32)
    for seed in range(10):
        scan = scanning.scan_page(np.random.default_rng(seed), page)
        assert scan.dtype == np.uint8
        assert scan.mean() == pytest.approx(127.5, abs=1)

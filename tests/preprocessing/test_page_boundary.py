import cv2
import numpy as np
import pytest

from cnn.preprocessing import page_boundary


def uniform_page(height=120, width=160, level=200):
    return np.full((height, width), level, np.uint8)


def test_the_interior_of_a_frame_is_found():
    gray = uniform_page(level=30)
    gray[10:110, 20:140] = 220
    assert page_boundary.find_frame_interior(gray).tolist() == [21, 11, 139, 109]
    assert page_boundary.find_frame_interior(uniform_page()) is None
    gray[30:90, 60:100] = 30  # Still a page, with a large mark on it.
    assert page_boundary.find_frame_interior(gray).tolist() == [21, 11, 139, 109]


def test_a_thick_stroke_on_uniform_paper_is_no_interior():
    """A broad block is as wide and full as a page, but the stroke goes on beyond it."""
    gray = uniform_page(28, 28, level=255)
    gray[8:26, 5:22] = 0
    gray[1:8, 5:11] = 0
    assert page_boundary.find_frame_interior(gray) is None


def test_the_surroundings_of_a_sheet_are_filled_with_its_level():
    gray = uniform_page(level=60)
    # Turned by about ten degrees.
    corners = np.array([[40, 15], [130, 30], [115, 110], [25, 95]])
    cv2.fillConvexPoly(gray, corners, 210)
    gray[50:80, 70:74] = 80
    filled = page_boundary.fill_outside_sheet(gray, gray)
    np.testing.assert_array_equal(filled[40:90, 60:90], gray[40:90, 60:90])
    assert filled[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 190
    assert np.count_nonzero(filled < 150) == 30 * 4  # The ink alone.
    assert page_boundary.fill_outside_sheet(filled, filled) is None


@pytest.mark.parametrize(
    "kind",
    ["a page", "half in shadow", "a light spot", "a thick light 0", "a thick light 1"],
)
def test_images_without_a_sheet_are_not_filled(kind):
    gray = uniform_page()
    if kind == "half in shadow":
        gray[:, :90] = 100
    elif kind == "a light spot":
        gray[:] = 60
        cv2.circle(gray, (80, 60), 50, 210, -1)
    elif kind == "a thick light 0":
        gray[:] = 60
        cv2.ellipse(gray, (80, 60), (35, 48), 0, 0, 360, 210, 22)
    elif kind == "a thick light 1":
        gray = uniform_page(level=60)[:, 30:130]
        gray[5:115, 35:65] = 210
    assert page_boundary.fill_outside_sheet(gray, gray) is None


def test_a_quadrilateral_may_lack_one_corner_and_a_circle_is_none():
    mask = np.zeros((60, 80), np.uint8)
    corners = np.array([[10, 5], [70, 10], [65, 50], [5, 55]])
    cv2.fillConvexPoly(mask, corners, 1)
    hull = page_boundary.find_quadrilateral(mask)
    assert set(map(tuple, corners)) <= set(map(tuple, hull[:, 0]))
    assert page_boundary.find_quadrilateral(mask[:, 12:].copy()) is not None
    circle = cv2.circle(np.zeros((60, 80), np.uint8), (40, 30), 25, 1, -1)
    assert page_boundary.find_quadrilateral(circle) is None
    assert page_boundary.find_quadrilateral(np.zeros((60, 80), np.uint8)) is None

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.lines import periodic_lines


def draw_squares(spacing, ink=180, size=(240, 300), paper=200, tilt=0.0) -> Image.Image:
    """Draws squared paper. `tilt` is the slope of all lines."""
    width, height = size
    image = Image.new("L", size, paper)
    draw = ImageDraw.Draw(image)
    for k in range(-20 * spacing, width + 20 * spacing, spacing):
        draw.line([(k, 0), (k - tilt * height, height)], ink)
    for k in range(-20 * spacing, height + 20 * spacing, spacing):
        draw.line([(0, k), (width, k + tilt * width)], ink)
    return image


def photograph(page: np.ndarray) -> np.ndarray:
    """Adds the noise of a camera."""
    noise = np.random.default_rng(0).normal(0, 1.5, page.shape)
    return np.rint(page + noise).clip(0, 255).astype(np.uint8)


def draw_two(width: int) -> np.ndarray:
    """Returns the mask of a 2 of three straight strokes, 300×240 pixels."""
    mask = Image.new("1", (240, 300))
    ImageDraw.Draw(mask).line([(60, 60), (180, 60), (60, 240), (190, 246)], 1, width)
    return np.asarray(mask)


@pytest.mark.parametrize("spacing", [5, 9, 14])
@pytest.mark.parametrize("tilt", [0.0, 0.04])
def test_squares_vanish_and_strokes_of_the_same_level_stay(spacing, tilt):
    squares = np.asarray(draw_squares(spacing, tilt=tilt))
    # Both layers of ink absorb a tenth of the light.
    page = np.where(draw_two(4), 0.9 * squares, squares).astype(np.uint8)
    result = periodic_lines.remove_periodic_lines(photograph(page))
    assert result is not None
    assert result.gray.shape == (300, 240)
    darkness = np.median(result.gray) - result.gray.astype(float)
    stroke = draw_two(2)
    paper = ~draw_two(8)
    paper[:20] = paper[-20:] = paper[:, :20] = paper[:, -20:] = False
    assert np.median(darkness[stroke]) > 10  # Of 20.
    assert np.percentile(darkness[paper], 95) < 9


def test_rules_vanish_in_both_directions():
    image = np.full((200, 260), 220, np.uint8)
    image[5::11] = 190
    for page in (image, image.T):
        result = periodic_lines.remove_periodic_lines(photograph(page))
        assert result is not None
        assert result.gray[20:-20, 20:-20].std() < 3


@pytest.mark.parametrize("spacing", [45, 60])
def test_few_lines_are_left_to_the_search_for_single_lines(spacing):
    page = photograph(np.asarray(draw_squares(spacing)))
    assert periodic_lines.remove_periodic_lines(page) is None


def test_an_unevenly_printed_line_vanishes_but_a_stroke_along_a_line_stays():
    image = draw_squares(9)
    draw = ImageDraw.Draw(image)
    draw.line([(0, 144), (240, 144)], 165)
    draw.line([(120, 40), (120, 260)], 150, 3)
    result = periodic_lines.remove_periodic_lines(photograph(np.asarray(image)))
    assert result is not None
    gray = result.gray.astype(float)
    paper = np.median(gray)
    assert paper - np.median(gray[144, 20:100]) < 10
    assert paper - np.median(gray[60:240, 120]) > 30


@pytest.mark.parametrize("width", [3, 12, 40])
def test_an_image_without_lines_has_none(width):
    rng = np.random.default_rng(0)
    noisy = np.where(draw_two(width), 90, 200) + rng.normal(0, 4, (300, 240))
    gray = noisy.clip(0, 255).astype(np.uint8)
    assert periodic_lines.remove_periodic_lines(gray) is None


def test_a_dashed_margin_is_no_squared_paper():
    rng = np.random.default_rng(0)
    gray = rng.normal(200, 3, (300, 300))
    for row in range(0, 300, 12):
        gray[row : row + 6, 90:100] = 90
    gray = gray.clip(0, 255).astype(np.uint8)
    assert periodic_lines.remove_periodic_lines(gray) is None


def test_small_images_uniform_borders_and_drawings_are_not_searched():
    squares = photograph(np.asarray(draw_squares(5)))
    assert periodic_lines.remove_periodic_lines(squares[:90, :90]) is None
    assert periodic_lines.remove_periodic_lines(np.asarray(draw_squares(9))) is None
    squares[[0, -1]] = 200
    squares[:, [0, -1]] = 200
    assert periodic_lines.remove_periodic_lines(squares) is None


def test_a_wave_tells_the_number_of_lines_and_their_slope():
    amplitudes = np.full((200, 240), 0.1, np.float32)
    amplitudes[25, -3] = 5
    lines = periodic_lines.find_periodic_lines(amplitudes)
    assert lines.num_lines == 25
    # 3 periods per 240 columns, 25 per 200 rows.
    assert lines.slope == pytest.approx((3 / 240) / (25 / 200))
    assert np.flatnonzero(lines.is_line).tolist() == [23, 24, 25, 26, 27]

"""The ink of drawn numbers in forms: what the mask holds, and what it leaves out."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.text_lines.line_mask import find_line_masks

# Strokes of digits in a box of 30 × 50 pixels.
STROKES = {
    "2": [(2, 12), (10, 2), (24, 4), (26, 16), (4, 46), (28, 46)],
    "3": [(2, 4), (26, 4), (12, 22), (26, 34), (18, 48), (2, 44)],
    "7": [(2, 4), (28, 4), (10, 48)],
}
PAPER, INK = 225, 50


def draw(digits="237", size=(320, 120), left=80, top=35, pitch=55, width=5):
    """Draws digits, and returns the image with their boxes."""
    image = Image.new("L", size, PAPER)
    pen = ImageDraw.Draw(image)
    boxes = []
    for index, digit in enumerate(digits):
        x = left + index * pitch
        points = [(x + a, top + b) for a, b in STROKES[digit]]
        pen.line(points, INK, width, joint="curve")
        boxes.append((x, top, x + 30, top + 50))
    return image, np.array(boxes, float)


def with_noise(image):
    noise = np.random.default_rng(0).normal(0, 2, np.array(image).shape)
    return np.clip(np.array(image) + noise, 0, 255).astype(np.uint8)


def found_boxes(gray):
    """Returns the boxes of the components of the first mask, in the picture."""
    found = find_line_masks(gray)[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        (found.mask > 0.4).astype(np.uint8)
    )
    corners = stats[1:, :2]
    boxes = np.concatenate([corners, corners + stats[1:, 2:4]], axis=1).astype(float)
    boxes = found.work.to_picture(boxes, gray.shape)
    return boxes[np.argsort(boxes[:, 0])]


def assert_digits(image, boxes, atol=5):
    np.testing.assert_allclose(found_boxes(with_noise(image)), boxes, atol=atol)


def test_finds_the_digits_of_a_number():
    assert_digits(*draw())


def test_finds_light_digits_on_a_dark_ground():
    image, boxes = draw()
    assert_digits(Image.eval(image, lambda level: 255 - level), boxes)


def test_finds_digits_across_the_edge_of_a_shadow():
    image, boxes = draw()
    shaded = np.array(image, float)
    shaded[:, 150:] *= 0.5
    assert_digits(Image.fromarray(shaded.astype(np.uint8)), boxes)


def test_leaves_rules_above_and_under_the_digits_out():
    image, boxes = draw()
    pen = ImageDraw.Draw(image)
    pen.line([(0, 20), (319, 20)], INK, 2)
    pen.line([(0, 95), (319, 95)], INK, 3)
    assert_digits(image, boxes)


def test_keeps_digits_that_a_rule_crosses_whole():
    image, boxes = draw("277")
    ImageDraw.Draw(image).line([(0, 60), (319, 60)], 120, 2)
    assert_digits(image, boxes)


def test_leaves_the_borders_of_a_cell_and_a_black_margin_out():
    image, boxes = draw()
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 25, 119), fill=10)
    pen.line([(60, 0), (60, 119)], INK, 2)
    pen.line([(260, 0), (260, 119)], INK, 3)
    assert_digits(image, boxes)


def test_leaves_parts_of_other_rows_out():
    image, boxes = draw()
    other, _ = draw(top=-38)
    below, _ = draw(top=108)
    image = Image.fromarray(
        np.minimum.reduce([np.array(i) for i in (image, other, below)])
    )
    assert_digits(image, boxes)


def test_leaves_a_dotted_line_out():
    image, boxes = draw()
    pen = ImageDraw.Draw(image)
    for x in range(5, 315, 8):
        pen.ellipse((x, 93, x + 2, 95), fill=INK)
    assert_digits(image, boxes)


@pytest.mark.parametrize("degrees", [-7, 0, 6])
def test_leaves_boxes_out_and_tells_where_they_are(degrees):
    image, boxes = draw("2372", size=(420, 200), top=75, pitch=70)
    pen = ImageDraw.Draw(image)
    for left, top, right, bottom in boxes.tolist():
        pen.rectangle(
            (left - 20, top - 14, right + 20, bottom + 12), outline=90, width=2
        )
    tilted = image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=PAPER)

    found = find_line_masks(with_noise(tilted))[0]

    assert len(found_boxes(with_noise(tilted))) == 4
    # One border or two close ones between neighboring digits.
    digits = cv2.connectedComponentsWithStats((found.mask > 0.4).astype(np.uint8))[2]
    middles = np.sort(digits[1:, 0] + digits[1:, 2] / 2)
    places = np.searchsorted(middles, found.cells)
    assert {1, 2, 3} <= set(places.tolist())


def test_leaves_a_comb_out():
    image, boxes = draw("2372", size=(420, 140))
    pen = ImageDraw.Draw(image)
    pen.line([(67, 100), (297, 100)], INK, 2)
    for x in range(67, 300, 55):
        pen.line([(x, 82), (x, 100)], INK, 2)
    assert_digits(image, boxes)


def test_finds_a_small_number_in_a_large_photograph():
    image, boxes = draw(size=(1600, 1200), left=900, top=700)
    assert_digits(image, boxes)


def test_finds_nothing_on_blank_paper():
    assert find_line_masks(np.full((60, 200), PAPER, np.uint8)) == []


def test_keeps_a_small_digit_beside_the_long_tail_of_a_seven():
    image = Image.new("L", (130, 140), PAPER)
    pen = ImageDraw.Draw(image)
    small = [(18 + 0.5 * a, 30 + 0.4 * b) for a, b in STROKES["2"]]
    pen.line(small, INK, 4, joint="curve")
    for left in (36, 72):
        tail = [(left, 32), (left + 28, 32), (left + 6, 100)]
        pen.line(tail, INK, 4, joint="curve")

    assert len(found_boxes(with_noise(image))) == 3


def test_leaves_a_blot_at_the_edge_of_the_picture_out():
    image, boxes = draw(left=40)
    ImageDraw.Draw(image).rectangle((0, 55, 18, 66), fill=INK)
    assert_digits(image, boxes)

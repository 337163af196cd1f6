import numpy as np
import pytest

from cnn.augmentation.simulated_strings import STRING_KINDS, simulate_line


@pytest.mark.parametrize("kind", STRING_KINDS)
def test_all_kinds_render_images_with_a_box_and_a_glyph_per_character(mnist_test, kind):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        line = simulate_line(rng, kind, mnist_test.images, mnist_test.labels)
        assert line.image.dtype == np.uint8
        assert line.image.ndim == 2
        assert line.boxes.shape == (len(line.text), 4)
        assert line.boxes.dtype == np.float32
        assert len(line.glyphs) == len(line.text)
        for glyph in line.glyphs:
            assert glyph.shape == (28, 28)
            assert glyph.dtype == np.float32
            assert 0.3 < glyph.max() <= 1.001
        height, width = line.image.shape
        if line.text:
            assert line.boxes[:, :2].min() >= -0.15 * height
            assert line.boxes[:, 2].max() <= width + 0.15 * height
            assert (line.boxes[:, 2:] > line.boxes[:, :2]).all()


@pytest.mark.parametrize("kind", STRING_KINDS)
def test_the_same_generator_gives_the_same_line(mnist_test, kind):
    lines = [
        simulate_line(
            np.random.default_rng(7), kind, mnist_test.images, mnist_test.labels
        )
        for _ in range(2)
    ]
    assert lines[0].text == lines[1].text
    np.testing.assert_array_equal(lines[0].image, lines[1].image)
    np.testing.assert_array_equal(lines[0].boxes, lines[1].boxes)


def test_texts_are_the_labels_of_the_characters():
    """Each digit is a bar of its own height: the boxes tell which were drawn."""
    images = np.zeros((10, 28, 28, 1), np.uint8)
    for digit in range(10):
        images[digit, 20 - 2 * digit : 24, 12:16] = 255
    for seed in range(30):
        rng = np.random.default_rng(seed)
        line = simulate_line(rng, "plain", images, np.arange(10), length=4)
        heights = line.boxes[:, 3] - line.boxes[:, 1]
        expected = np.array([2 * int(digit) + 4 for digit in line.text])
        scale = heights.sum() / expected.sum()
        np.testing.assert_allclose(heights / scale, expected, atol=1)

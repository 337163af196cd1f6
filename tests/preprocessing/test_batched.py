"""Many small images at once, against the same images one by one."""

import numpy as np
import pytest

from cnn.preprocessing import batched, centering, ink_levels, pipeline, segmentation

MNIST = pipeline.PREPROCESSING["mnist"]


def one_by_one(grays, placement):
    """Preprocesses images by the general steps."""
    images = []
    for gray in grays:
        [glyph] = segmentation.find_glyphs(gray)
        assert not glyph.has_other_characters
        mask = centering.thicken_strokes(glyph.mask)
        images.extend(centering.scale_and_center(mask[None], placement))
    return images


@pytest.mark.parametrize("preprocessing", ["mnist", "emnist"])
@pytest.mark.parametrize(
    "change",
    [
        lambda digits: digits,
        lambda digits: 255 - digits,
        lambda digits: (40 + 0.3 * digits).astype(np.uint8),
        lambda digits: digits[:, 2:-2, 1:],
        lambda digits: np.repeat(digits, 2, axis=2)[:, :, 9:-9],
    ],
)
def test_plain_images_equal_those_of_the_general_steps(digits, change, preprocessing):
    grays = np.ascontiguousarray(change(digits))
    placement = pipeline.PREPROCESSING[preprocessing]
    images, is_plain = batched.preprocess_batch(grays, placement)
    assert is_plain.mean() > 0.5
    expected = one_by_one(grays[is_plain], placement)
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)


def test_an_image_is_the_same_bits_in_any_batch(digits):
    together, is_plain = batched.preprocess_batch(digits, MNIST)
    alone = np.concatenate(
        [batched.preprocess_batch(gray[None], MNIST)[0] for gray in digits]
    )
    backwards = batched.preprocess_batch(digits[::-1], MNIST)[0][::-1]
    assert np.array_equal(together, alone)
    assert np.array_equal(together, backwards)
    assert len(together) == is_plain.sum()


def test_specks_and_parts_are_selected_as_by_the_general_steps(digits):
    """Digits with a stroke cut through, and with specks beside them."""
    rng, changed = np.random.default_rng(0), digits.copy()
    for gray in changed:
        row, (top, left) = rng.integers(8, 20), rng.integers(0, 26, 2)
        gray[row : row + 1] = 0
        gray[top : top + 2, left : left + 2] = np.maximum(
            gray[top : top + 2, left : left + 2], 200
        )
    images, is_plain = batched.preprocess_batch(changed, MNIST)
    assert is_plain.mean() > 0.8
    expected = one_by_one(changed[is_plain], MNIST)
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)


def drawn(*boxes, paper=255, ink=0, size=28):
    gray = np.full((size, size), paper, np.uint8)
    for top, left, bottom, right in boxes:
        gray[top:bottom, left:right] = ink
    return gray


@pytest.mark.parametrize(
    ("gray", "expected"),
    [
        (drawn((4, 12, 24, 15)), True),
        (drawn((4, 12, 24, 15), paper=0, ink=255), True),
        (drawn(), False),
        (drawn((4, 12, 24, 15), ink=250), False),  # Fainter than the least contrast.
        (drawn((4, 6, 24, 9), (4, 13, 24, 16)), True),  # Two marks of one character.
        (drawn((4, 3, 24, 6), (4, 22, 24, 25)), False),  # Two characters.
        (drawn((0, 12, 28, 15)), False),  # A border of two grays.
        (drawn((3, 3, 25, 25)), False),  # More ink than paper: perhaps a frame.
    ],
)
def test_only_one_character_on_a_uniform_background_is_plain(gray, expected):
    assert batched.preprocess_batch(gray[None], MNIST)[1].tolist() == [expected]


def test_a_noisy_image_is_not_plain():
    noise = np.random.default_rng(0).integers(-5, 6, (28, 28))
    gray = (drawn((4, 12, 24, 15), paper=200) + noise).astype(np.uint8)
    _, is_plain = batched.preprocess_batch(gray[None], MNIST)
    assert not is_plain.any()


@pytest.mark.parametrize("shape", [(5, 7), (28, 28), (39, 39)])
def test_contrasts_of_a_batch_are_the_same_bits_as_of_each_image(shape):
    rng = np.random.default_rng(0)
    foreground = rng.integers(-255, 256, (50, *shape)).astype(np.float32)
    expected = [ink_levels.estimate_contrast(image) for image in foreground]
    assert batched.estimate_contrasts(foreground).tolist() == expected


def test_the_batch_is_left_as_it_was(digits):
    grays = digits.copy()
    batched.preprocess_batch(grays, MNIST)
    np.testing.assert_array_equal(grays, digits)


def test_a_bar_is_scaled_and_centered():
    """A bar of 20×3 pixels keeps them, and is centered within half of pixel 14."""
    [image], _ = batched.preprocess_batch(drawn((2, 2, 22, 5))[None], MNIST)
    rows, columns = np.nonzero(image)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 13, 15)
    assert set(image.ravel().tolist()) == {0.0, 1.0}

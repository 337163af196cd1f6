"""Digits on simulated pages are seen as the digits that they were drawn from."""

import cv2
import numpy as np
import pytest
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS, examples
from cnn.augmentation.simulated_pages.rendering import render_strokes
from cnn.preprocessing import pipeline

# Of 24 pages, the median likeness to MNIST's own picture, the strokes of which have another width; some are
# stretched or slanted, too.
LEAST = dict.fromkeys(PAGE_KINDS, 0.6) | {"mnist": 0.99}
LEAST |= {"historic": 0.45, "stretched": 0.5, "binary_16": 0.45, "register": 0.45}


@pytest.mark.parametrize("kind", PAGE_KINDS)
def test_what_is_seen_of_a_page_is_like_its_digit(mnist_test, tmp_path, kind):
    likenesses = []
    for i, digit in enumerate(mnist_test.images[:24, ..., 0] / np.float32(255)):
        page = PAGE_KINDS[kind](np.random.default_rng(i), digit)
        Image.fromarray(page).save(tmp_path / "a.png")
        seen = pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").candidates
        likenesses.append(
            0 if seen is None else np.corrcoef(seen[0].ravel(), digit.ravel())[0, 1]
        )
    assert np.median(likenesses) > LEAST[kind]


def test_a_small_loop_stays_open_when_a_digit_is_written_with_a_thin_pen():
    """In the middle of the loop of this 9, MNIST's ink is hardly lighter than about it."""
    digit = np.zeros((28, 28), np.float32)
    digit[4:11, 9:16] = 1
    digit[11:24, 13:16] = 1
    digit[7, 12] = 0.4
    loops = (
        cv2.connectedComponents(
            (render_strokes(digit, 0.04) < 0.5).astype(np.uint8), connectivity=4
        )[0]
        - 2
    )
    assert loops == 1


def drawn(mnist_test, seed=0, preprocessing="mnist"):
    targets = np.eye(10, dtype=np.float32)[mnist_test.labels]
    return examples.make_page_examples(
        seed, mnist_test.images, targets, 64, preprocessing
    )


def test_what_is_learned_of_pages_has_the_class_or_none(mnist_test):
    pictures, answers = drawn(mnist_test)
    assert (pictures.dtype, pictures.shape[1:]) == (np.uint8, (28, 28, 1))
    assert 48 <= len(pictures) == len(answers) <= 96
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    assert all(
        most == pytest.approx(1) or most == pytest.approx(0.1)
        for most in answers.max(axis=1)
    )
    assert np.mean(answers.max(axis=1) == 1) > 0.9


def test_what_is_learned_of_pages_is_decided_by_the_seed(mnist_test):
    first, again, other = (drawn(mnist_test, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape != other[0].shape or (first[0] != other[0]).any()


def test_of_blank_characters_there_are_no_pages():
    blank, targets = np.zeros((5, 28, 28, 1), np.uint8), np.eye(5, dtype=np.float32)
    pictures, answers = examples.make_page_examples(0, blank, targets, 7, "mnist")
    assert (pictures.shape, answers.shape) == ((0, 28, 28, 1), (0, 5))
    blank[3, 5:20, 14] = 255
    _, answers = examples.make_page_examples(0, blank, targets, 7, "mnist")
    assert len(answers) > 0
    assert set(answers.argmax(axis=1)[answers.max(axis=1) == 1]) == {3}


def test_letters_are_placed_as_emnists_are(mnist_test):
    pictures, _ = drawn(mnist_test, preprocessing="emnist")
    sides = [
        max(np.ptp(axis) + 1 for axis in np.nonzero(picture[..., 0] > 60))
        for picture in pictures
    ]
    assert np.median(sides) in (23, 24)


def test_a_picture_is_as_alike_itself_moved_by_two_pixels(mnist_test):
    digit = (mnist_test.images[0, ..., 0] / 255).astype(np.float32)
    assert examples.normalized_cross_correlation(
        digit, np.roll(digit, 2, axis=1)
    ) == pytest.approx(1, abs=1e-3)
    assert examples.normalized_cross_correlation(digit, np.rot90(digit)) < 0.8
    assert examples.normalized_cross_correlation(digit, np.zeros_like(digit)) == 0

import cv2
import numpy as np
import pytest

from cnn.augmentation.simulated_pages import examples


def make_examples(mnist_test, seed=0, preprocessing="mnist"):
    targets = np.eye(10, dtype=np.float32)[mnist_test.labels]
    return examples.make_page_examples(
        seed, mnist_test.images, targets, 64, preprocessing
    )


def test_an_example_has_the_class_of_its_character_or_none(mnist_test):
    images, targets = make_examples(mnist_test)
    assert (images.dtype, images.shape[1:]) == (np.uint8, (28, 28, 1))
    assert (
        48 <= len(images) == len(targets) <= 112
    )  # Some pages are segmented in two ways.
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    largest = targets.max(axis=1)
    assert (np.isclose(largest, 1) | np.isclose(largest, 0.1)).all()
    assert np.mean(largest == 1) > 0.9


def test_the_seed_decides_on_the_examples(mnist_test):
    first, again, other = (make_examples(mnist_test, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape != other[0].shape or (first[0] != other[0]).any()


def test_blank_characters_are_not_written():
    blank, targets = np.zeros((5, 28, 28, 1), np.uint8), np.eye(5, dtype=np.float32)
    images, labels = examples.make_page_examples(0, blank, targets, 7, "mnist")
    assert (images.shape, labels.shape) == ((0, 28, 28, 1), (0, 5))
    blank[3, 5:20, 14] = 255
    _, labels = examples.make_page_examples(0, blank, targets, 7, "mnist")
    assert len(labels) > 0
    assert set(labels.argmax(axis=1)[labels.max(axis=1) == 1]) == {3}


def test_letters_are_placed_as_emnists_are(mnist_test):
    images, _ = make_examples(mnist_test, preprocessing="emnist")
    sides = [
        max(np.ptp(axis) + 1 for axis in np.nonzero(image[..., 0] > 60))
        for image in images
    ]
    assert np.median(sides) in (23, 24)


def test_the_correlation_ignores_a_shift_by_two_pixels(mnist_test):
    digit = (mnist_test.images[0, ..., 0] / 255).astype(np.float32)
    correlate = examples.normalized_cross_correlation
    shifted = np.roll(digit, 2, axis=1)
    assert correlate(digit, shifted) == pytest.approx(1, abs=1e-3)
    assert correlate(digit, np.rot90(digit)) < 0.8
    assert correlate(digit, np.zeros_like(digit)) == 0


def test_the_correlation_is_the_best_cosine_of_five_shifts(mnist_test):
    """By NumPy: one image is shifted by no or by two pixels along one axis."""
    images = (mnist_test.images[:60, ..., 0] / 255).astype(np.float32)
    shifts = ((0, 0), (0, 2), (0, -2), (2, 0), (-2, 0))
    for image, other in zip(images[:30], images[30:], strict=True):
        a = cv2.GaussianBlur(image, (0, 0), 1.8).astype(float)
        b = cv2.GaussianBlur(other, (0, 0), 1.8).astype(float)
        best = max((np.roll(a, shift, (0, 1)) * b).sum() for shift in shifts)
        cosine = best / (np.linalg.norm(a) * np.linalg.norm(b))
        ours = examples.normalized_cross_correlation(image, other)
        assert ours == pytest.approx(cosine, abs=1e-5)

import numpy as np
import pytest

from cnn.augmentation import outlier_exposure


@pytest.fixture(scope="module")
def digits(mnist_test):
    return mnist_test.images[:500], np.eye(10, dtype=np.float32)[
        mnist_test.labels[:500]
    ]


def test_the_given_number_is_made_with_a_probability_for_each_class(digits):
    outliers, outlier_targets = outlier_exposure.make_outliers(
        0, *digits, 300, letters=True
    )
    assert (outliers.shape, outliers.dtype) == ((300, 28, 28, 1), np.uint8)
    assert outlier_targets.shape == (300, 10)
    np.testing.assert_allclose(outlier_targets.sum(1), 1, rtol=1e-6)


def test_the_target_of_joined_halves_is_both_classes(digits):
    images, targets = digits
    outliers, outlier_targets = outlier_exposure.make_outliers(
        0, images, targets, 100, letters=False
    )
    for image, target in zip(outliers[:40, ..., 0], outlier_targets[:40], strict=True):
        halves = [image[:, :12], image[:, 17:]], [image[:12], image[17:]]
        parts = (
            [images[:, :, :12, 0], images[:, :, 17:, 0]],
            [images[:, :12, :, 0], images[:, 17:, :, 0]],
        )
        labels = [
            [
                set(targets[(p == h).all((1, 2))].argmax(1))
                for h, p in zip(hs, ps, strict=True)
            ]
            for hs, ps in zip(halves, parts, strict=True)
        ]
        possible = [(a, b) for one, other in labels for a in one for b in other]
        expected = [(np.eye(10)[a] + np.eye(10)[b]) / 2 for a, b in possible]
        assert any(np.allclose(target, e) for e in expected)


def test_the_target_of_other_outliers_is_uniform(digits):
    _, outlier_targets = outlier_exposure.make_outliers(0, *digits, 100, letters=True)
    np.testing.assert_allclose(outlier_targets[40:], 0.1)


def test_a_seed_makes_the_same_outliers_and_another_seed_others(digits):
    one, again, other = (
        outlier_exposure.make_outliers(seed, *digits, 60, letters=True)[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any((1, 2, 3)).mean() > 0.8


def test_letters_lie_as_mnists_digits_do():
    """In a box of 20×20, with the center of mass in the middle."""
    font = next(
        path for path in outlier_exposure.list_fonts() if path.name == "DejaVuSans.ttf"
    )
    for letter in "AkW":
        image = outlier_exposure.render_letter(font, letter).astype(float)
        rows, columns = image.sum(1).nonzero()[0], image.sum(0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        center = [(image.sum(axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]
        assert np.abs(np.array(center) - 13.5).max() <= 0.75

import numpy as np
import pytest

from cnn.augmentation import outlier_exposure
from cnn.preprocessing.network_input import PREPROCESSING

PRINTED = list("#A7")


@pytest.fixture(scope="module")
def digits(mnist_test):
    return mnist_test.images[:500], np.eye(10, dtype=np.float32)[
        mnist_test.labels[:500]
    ]


@pytest.fixture
def sans():
    """Path of DejaVu Sans."""
    fonts = outlier_exposure.list_fonts()
    return next(path for path in fonts if path.name == "DejaVuSans.ttf")


def test_the_given_number_is_made_with_a_probability_for_each_class(digits):
    outliers, outlier_targets = outlier_exposure.make_outliers(0, *digits, 300, PRINTED)
    assert (outliers.shape, outliers.dtype) == ((300, 28, 28, 1), np.uint8)
    assert outlier_targets.shape == (300, 10)
    np.testing.assert_allclose(outlier_targets.sum(1), 1, rtol=1e-6)


def test_the_target_of_joined_halves_is_both_classes(digits):
    images, targets = digits
    outliers, outlier_targets = outlier_exposure.make_outliers(
        0, images, targets, 100, []
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
    _, outlier_targets = outlier_exposure.make_outliers(0, *digits, 100, PRINTED)
    np.testing.assert_allclose(outlier_targets[40:], 0.1)


def test_a_seed_makes_the_same_outliers_and_another_seed_others(digits):
    one, again, other = (
        outlier_exposure.make_outliers(seed, *digits, 60, PRINTED)[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any((1, 2, 3)).mean() > 0.8


def test_print_lies_as_mnists_digits_do(sans):
    """In a box of 20×20, with the center of mass in the middle."""
    for letter in "AkW":
        image = outlier_exposure.render_print(sans, letter, PREPROCESSING["mnist"])
        rows, columns = image.sum(1).nonzero()[0], image.sum(0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        ink = image.astype(float)
        center = [(ink.sum(axis) @ np.arange(28)) / ink.sum() for axis in (1, 0)]
        assert np.abs(np.array(center) - 13.5).max() <= 0.75


def test_print_lies_as_emnists_letters_do(sans):
    """In the middle of a box of 24×24."""
    for symbol in "#7?":
        image = outlier_exposure.render_print(sans, symbol, PREPROCESSING["emnist"])
        rows, columns = image.sum(1).nonzero()[0], image.sum(0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 24
        for ink in (rows, columns):
            assert abs((ink[0] + ink[-1]) / 2 - 13.5) <= 0.5


@pytest.mark.parametrize(
    ("class_names", "present", "absent"),
    [
        ("0123456789", "AKWkw", "OoIl#7"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "#%?347", "01258AZ"),
        ("abcdefghijklmnopqrstuvwxyz", "#%?347", "+*$a0"),
        ("0123456789ABCDEF", "#%?", "347GZ"),
        ("ab7", "#%?", "347"),
        ("#+-", "%?347", "#+-"),
        (("cat", "dog"), "", "#7a"),
    ],
)
def test_characters_in_print_are_those_of_no_class(class_names, present, absent):
    printed = outlier_exposure.printed_outliers(class_names)
    assert set(present) <= set(printed)
    assert not set(absent) & set(printed)


def test_half_of_the_drawn_outliers_are_print_of_no_class(digits):
    outliers, _ = outlier_exposure.make_outliers(0, *digits, 100, ["#"], "emnist")
    fonts = outlier_exposure.list_fonts()
    placement = PREPROCESSING["emnist"]
    prints = {
        outlier_exposure.render_print(font, "#", placement).tobytes() for font in fonts
    }
    is_print = [image.tobytes() in prints for image in outliers[40:]]
    assert sum(is_print) == 30

from dataclasses import replace

import numpy as np

from cnn.augmentation.glyphs import FORMS
from cnn.augmentation.outlier_exposure import (
    list_fonts,
    printed_outliers,
    render_print,
)
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.preprocessing.network_input import PREPROCESSING
from cnn.training.training_set import make_training_examples, train_validation_split
from tests.training.steps import CONFIG


def test_the_split_is_by_seed_and_disjoint():
    images = np.arange(60_000, dtype=np.int32)
    dataset = datasets.Dataset(images, images % 10, tuple("0123456789"))
    validation_sets = []
    for seed in (0, 1):
        train_set, validation_set = train_validation_split(
            dataset, TrainConfig(seed=seed)
        )
        assert (len(train_set.labels), len(validation_set.labels)) == (55_000, 5_000)
        both = sorted([*train_set.images, *validation_set.images])
        assert both == images.tolist()
        validation_sets.append(validation_set.images)
    assert not np.array_equal(*validation_sets)


def test_a_small_set_gives_at_most_a_tenth_to_validation(small):
    train_set, validation_set = train_validation_split(small, CONFIG)
    assert (len(train_set.labels), len(validation_set.labels)) == (576, 64)


def test_examples_are_labeled_images_then_a_fraction_of_outliers(small):
    config = replace(CONFIG, outlier_fraction=0.1)
    images, targets = make_training_examples(small, config)
    assert (images.shape, images.dtype) == ((640 + 64, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(images[:640], small.images)
    np.testing.assert_array_equal(targets[:640].argmax(1), small.labels)
    assert (targets[:640].max(1) == 1).all()
    is_uniform = (targets[640:] == np.float32(0.1)).all(1)
    assert is_uniform.sum() >= 38
    assert (np.unique(targets[640:][~is_uniform]) == [0, 0.5, 1]).all()


def test_smoothed_targets_give_a_part_to_all_classes_alike(small):
    config = replace(CONFIG, outlier_fraction=0.1)
    smoothed = make_training_examples(small, replace(config, label_smoothing=0.2))[1]
    targets = make_training_examples(small, config)[1]
    np.testing.assert_allclose(smoothed, 0.8 * targets + 0.02, atol=1e-6)
    np.testing.assert_allclose(smoothed.sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(smoothed[:640].argmax(1), small.labels)


def test_glyphs_and_pages_are_added_to_digits_only(small):
    config = replace(
        CONFIG,
        dataset="mnist",
        synthetic_glyph_fraction=0.05,
        simulated_page_fraction=0.01,
    )
    digits = small._replace(class_names=tuple("0123456789"), preprocessing="mnist")
    images, targets = make_training_examples(digits, config)
    # A page has one example per candidate segmentation, so 6 pages have 6 or more.
    assert len(images) == len(targets) >= 640 + 32 + 6
    expected = np.resize([label for label, _ in FORMS], 32)
    np.testing.assert_array_equal(targets[640:672].argmax(1), expected)
    assert len(images) < 640 + 32 + 2 * 6
    letters = small._replace(class_names=tuple("abcdefghij"))
    config = replace(config, simulated_page_fraction=0)
    assert len(make_training_examples(letters, config)[0]) == 640


def test_pieces_of_numbers_are_added_to_digits_only(small):
    config = replace(CONFIG, dataset="mnist", simulated_string_fraction=0.05)
    digits = small._replace(class_names=tuple("0123456789"), preprocessing="mnist")
    images, targets = make_training_examples(digits, config)
    assert len(images) == len(targets) == 640 + 32
    assert (targets[640:].max(1) == 1).any()
    letters = small._replace(class_names=tuple("abcdefghij"))
    assert len(make_training_examples(letters, config)[0]) == 640


def test_print_among_outliers_lies_as_the_letters_do(small):
    letters = small._replace(class_names=tuple("abcdefghij"), preprocessing="emnist")
    images, _ = make_training_examples(letters, replace(CONFIG, outlier_fraction=0.1))
    placement = PREPROCESSING["emnist"]
    prints = {
        render_print(font, character, placement).tobytes()
        for font in list_fonts()
        for character in printed_outliers(letters.class_names)
    }
    outliers = images[640:]
    assert sum(image.tobytes() in prints for image in outliers) >= len(outliers) / 4

import numpy as np
import pytest

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.calibration import mix_pages
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.preprocessing import pipeline
from cnn.training.validation_pages import compute_page_logits, make_validation_pages
from tests.reference import random_params

CONFIG = TrainConfig(simulated_page_fraction=0.1)


@pytest.fixture(scope="module")
def digits():
    _, test_set = datasets.load_train_and_test("mnist", None)
    count = 2 * len(PAGE_KINDS)
    return test_set._replace(
        images=test_set.images[:count], labels=test_set.labels[:count]
    )


@pytest.fixture(scope="module")
def pages(digits):
    return make_validation_pages(digits, CONFIG)


def test_there_is_a_page_for_every_second_digit(pages, digits):
    assert len(digits.labels) / 2 - 2 <= len(pages.labels) <= len(digits.labels) / 2
    assert pages.images.shape[:2] == pages.weights.shape


def test_missing_candidates_are_empty_images_without_weight(pages):
    has_ink = pages.images.any((2, 3))
    np.testing.assert_array_equal(has_ink, pages.weights > 0)
    assert (pages.weights[:, 0] > 0).all()


def test_the_same_seed_gives_the_same_pages(pages, digits):
    again = make_validation_pages(digits, CONFIG)
    np.testing.assert_array_equal(again.images, pages.images)
    other = make_validation_pages(
        digits, TrainConfig(seed=1, simulated_page_fraction=0.1)
    )
    assert not np.array_equal(other.images[:5, 0], pages.images[:5, 0])


def test_without_training_pages_there_are_none(digits):
    assert make_validation_pages(digits, TrainConfig()) is None


def test_pages_have_the_probabilities_of_files(pages):
    params = random_params()
    mixed = mix_pages(compute_page_logits(params, pages))
    metadata = {"class_names": [str(label) for label in range(10)]}
    files = [
        pipeline.PreprocessedFile(
            images[weights > 0, ..., None], "ok", "", weights[weights > 0]
        )
        for images, weights, _ in zip(*pages, strict=True)
    ]
    predictions = Classifier(params, metadata).classify([""] * len(files), files)
    expected = [prediction.probabilities for prediction in predictions]
    np.testing.assert_allclose(mixed, expected, atol=1e-5)

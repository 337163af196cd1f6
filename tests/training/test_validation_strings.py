import numpy as np
import pytest

from cnn.augmentation.simulated_strings import STRING_KINDS
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.decoding import weights_from_metadata
from cnn.training import validation_strings
from cnn.training.validation_strings import calibrate_strings, make_validation_strings
from tests.reference import random_params

CONFIG = TrainConfig(simulated_string_fraction=0.1)
CLASS_NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits():
    _, test_set = datasets.load_train_and_test("mnist", None)
    return test_set._replace(images=test_set.images[:100], labels=test_set.labels[:100])


@pytest.fixture(scope="module")
def strings(digits):
    return make_validation_strings(digits, CONFIG)


def test_there_are_numbers_of_all_kinds_with_their_texts(strings):
    expected = 0.16 * 100
    assert expected == len(STRING_KINDS)
    assert expected / 2 <= len(strings) <= expected
    assert any(string.text.isdigit() for string in strings)


def test_the_same_seed_gives_the_same_numbers(strings, digits):
    again = make_validation_strings(digits, CONFIG)
    assert [string.text for string in again] == [string.text for string in strings]
    image = strings[0].line.lattices[0].images
    np.testing.assert_array_equal(again[0].line.lattices[0].images, image)


def test_without_training_pieces_or_digits_there_are_none(digits):
    assert make_validation_strings(digits, TrainConfig()) == []
    letters = digits._replace(class_names=tuple("abcdefghij"))
    assert make_validation_strings(letters, CONFIG) == []


def test_the_outputs_are_those_of_the_pieces_alone(strings):
    params = random_params()
    lines = validation_strings.read_pieces(params, strings[:3], CLASS_NAMES)
    for line, string in zip(lines, strings[:3], strict=True):
        assert line.text == string.text
        for lattice, outputs in zip(
            string.line.lattices, line.probabilities, strict=True
        ):
            assert outputs.shape == (len(lattice.starts), 10)
            np.testing.assert_allclose(outputs.sum(1), 1, rtol=1e-5)


def test_the_calibration_is_what_a_model_may_carry(strings):
    fitted = calibrate_strings(random_params(), strings[:12], CLASS_NAMES)
    assert 0.5 <= fitted["string_unsure_below"] <= 1
    weights = weights_from_metadata(fitted["string_weights"])
    assert dict(weights._asdict()) == fitted["string_weights"]
    assert calibrate_strings(random_params(), [], CLASS_NAMES) == {}

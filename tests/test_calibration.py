import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from cnn import calibration
from cnn.candidate_mixture import combine_candidates
from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training.train_step import create_state


def sample_overconfident(seed, temperature, count=20_000):
    """Labels sampled from a softmax, and its logits multiplied by `temperature`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 4))
    cumulative = softmax(logits, axis=-1).cumsum(-1)
    labels = (cumulative < rng.random((count, 1))).sum(-1)
    return (logits * temperature).astype(np.float32), labels


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 4), st.integers(0, 1000))
def test_the_temperature_that_logits_were_multiplied_by_is_found(temperature, seed):
    found = calibration.fit_temperature(*sample_overconfident(seed, temperature))
    assert abs(found / temperature - 1) < 0.06


def test_no_temperature_nearby_has_a_lower_loss():
    logits, labels = sample_overconfident(1, 2.5)
    found = calibration.fit_temperature(logits, labels)
    best = calibration.mean_cross_entropy(logits / found, labels)
    assert all(
        best < calibration.mean_cross_entropy(logits / (found * k), labels)
        for k in (0.5, 0.95, 1.05, 2)
    )


def test_a_few_images_that_are_all_right_change_hardly_anything():
    logits = np.eye(3, dtype=np.float32) * 9
    assert 0.95 < calibration.fit_temperature(logits, np.arange(3)) < 1


def as_pages(logits, labels, *others):
    """Pages whose first candidates have these logits, and further candidates."""
    candidates = np.stack([logits, *others], axis=1)
    weights = np.ones(candidates.shape[:2], np.float32)
    return calibration.PageLogits(candidates, weights, labels)


def test_pages_and_other_examples_count_alike():
    """The temperature lies between that of the examples and that of the pages."""
    logits, labels = sample_overconfident(1, 1.0)
    pages = as_pages(*sample_overconfident(2, 3.0, count=500))
    assert abs(calibration.fit_temperature(logits, labels) - 1) < 0.06
    both = calibration.fit_temperature(logits, labels, pages)
    assert 1.3 < both < 2.7


def test_pages_of_one_candidate_have_the_softmax_of_its_logits():
    logits, labels = sample_overconfident(3, 1.0, count=50)
    mixed = calibration.mix_pages(as_pages(logits, labels), temperature=2.0)
    np.testing.assert_allclose(mixed, softmax(logits / 2, axis=-1), rtol=1e-5)


def test_missing_candidates_do_not_count():
    logits, labels = sample_overconfident(4, 1.0, count=50)
    pages = as_pages(logits, labels, 5 * logits[::-1])
    pages.weights[:, 1] = 0
    np.testing.assert_allclose(
        calibration.mix_pages(pages), softmax(logits, axis=-1), rtol=1e-5
    )


def test_pages_are_mixed_as_files_are():
    logits, labels = sample_overconfident(5, 1.0, count=50)
    pages = as_pages(logits, labels, logits[::-1])
    pages.weights[:, 1] = 0.2
    mixed = calibration.mix_pages(pages)
    for row, candidates in zip(mixed, pages.logits, strict=True):
        probabilities = softmax(candidates, axis=-1)
        expected = combine_candidates(probabilities, np.array([1, 0.2]))
        np.testing.assert_allclose(row, expected.probabilities, atol=1e-6)


def test_calibration_error_by_hand():
    """Two bins hold confidences (0.5, 0.7) and (0.9, 1.0)."""
    sure, accuracy, counts = calibration.equal_mass_bins(
        np.array([1.0, 0.5, 0.9, 0.7]), np.array([1, 0, 1, 1]), 2
    )
    np.testing.assert_allclose(sure, [0.6, 0.95])
    np.testing.assert_allclose(accuracy, [0.5, 1])
    assert counts.tolist() == [2, 2]
    # 4 predictions are fewer than 15 bins, so each has its own.
    by_hand = (abs(0.5 - 0) + abs(0.7 - 1) + abs(0.9 - 1) + abs(1.0 - 1)) / 4
    error = calibration.expected_calibration_error(
        np.array([1.0, 0.5, 0.9, 0.7]), np.array([1, 0, 1, 1])
    )
    assert abs(error - by_hand) < 1e-12


def test_predictions_as_right_as_confident_have_nearly_no_calibration_error():
    logits, labels = sample_overconfident(2, 1.0)
    for factor, low, high in ((1, 0, 0.015), (3, 0.05, 1)):
        probabilities = softmax(logits * factor, axis=-1)
        error = calibration.expected_calibration_error(
            probabilities.max(-1), probabilities.argmax(-1) == labels
        )
        assert low <= error <= high


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=900))
def test_at_least_995_in_1000_are_not_below_the_threshold(confidence):
    confidence = np.array(confidence)
    below = calibration.confidence_threshold(confidence)
    assert (confidence < below).mean() <= 0.005
    assert (confidence <= below).mean() > 0.005 - 1 / len(confidence)


def test_a_folded_temperature_divides_the_logits():
    params = create_state(jax.random.key(0), CNN(10), TrainConfig(), 1).params
    images = np.random.default_rng(0).random((5, 28, 28, 1)).astype(np.float32)
    scaled = calibration.apply_temperature(params, 1.7)
    before = CNN(10).apply({"params": params}, images)
    after = CNN(10).apply({"params": scaled}, images)
    np.testing.assert_allclose(after, before / 1.7, atol=1e-6)
    assert scaled["conv2d"] is params["conv2d"]


def test_bins_and_error_are_float64_whatever_comes_in():
    """The sums of a report must not depend on the dtype of the network's output."""
    confidence = np.array([0.9, 0.5, 0.7], np.float32)
    mean_confidence, accuracy, _ = calibration.equal_mass_bins(
        confidence, np.array([True, False, True]), 2
    )
    assert mean_confidence.dtype == accuracy.dtype == np.float64


def test_the_temperature_stays_in_its_range():
    right = np.eye(4, dtype=np.float32)[np.arange(4000) % 4]
    labels = np.arange(4000) % 4
    assert calibration.fit_temperature(right * 0.01, labels) >= 0.05
    assert calibration.fit_temperature(right * 1000, (labels + 1) % 4) <= 20


def test_a_fit_says_when_to_be_unsure_at_its_own_temperature():
    logits, labels = sample_overconfident(3, 2.0)
    fitted = calibration.calibrate(logits, labels)
    confidence = softmax(logits / fitted["temperature"], axis=-1).max(-1)
    assert (confidence < fitted["unsure_below"]).mean() == pytest.approx(
        0.005, abs=1e-4
    )

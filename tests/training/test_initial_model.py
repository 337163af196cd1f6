import jax
import numpy as np

from cnn.classifier import Classifier
from cnn.model import CNN
from cnn.training.epoch_data import replicate
from cnn.training.initial_model import load_initial_model, start_from
from cnn.training.metrics import EpochMetrics
from tests.training.steps import CONFIG, start


def make_classifier(class_names, seed=5):
    variables = CNN(len(class_names)).init(
        jax.random.key(seed), np.zeros((1, 28, 28, 1), np.float32)
    )
    return Classifier(variables["params"], {"class_names": list(class_names)})


def test_the_same_classes_keep_all_parameters(small):
    backend, state, _ = start(CONFIG, small)
    initial = make_classifier("0123456789")
    started = start_from(state, initial, "0123456789", backend.sharding)
    for params in (started.params, started.ema_params):
        jax.tree.map(np.testing.assert_array_equal, params, initial.params)
    assert not started.forgets_initial_params


def test_other_classes_keep_the_outputs_that_the_model_knows(small):
    backend, state, _ = start(CONFIG, small)
    initial = make_classifier("xyz7")
    names = tuple("0123456789")
    started = start_from(state, initial, names, backend.sharding)
    assert started.forgets_initial_params
    last, random = started.params["dense_1"], state.params["dense_1"]
    known = initial.params["dense_1"]
    np.testing.assert_array_equal(last["kernel"][:, 7], known["kernel"][:, 3])
    assert last["bias"][7] == known["bias"][3]
    others = [index for index in range(10) if index != 7]
    np.testing.assert_array_equal(
        np.asarray(last["kernel"])[:, others], np.asarray(random["kernel"])[:, others]
    )
    np.testing.assert_array_equal(
        started.params["conv2d_1"]["kernel"], initial.params["conv2d_1"]["kernel"]
    )


def test_parameters_and_their_average_do_not_share_memory(small):
    """A step reuses the memory of both."""
    backend, state, data = start(CONFIG, small)
    started = start_from(
        state, make_classifier("0123456789"), "0123456789", backend.sharding
    )
    before = jax.tree.map(np.array, started.params)
    run_steps = backend.compile_steps(started, data, CONFIG)
    totals = replicate(EpochMetrics(), backend.sharding)
    after, _ = run_steps(started, totals, np.int32(1), data)
    rate = np.abs(after.params["dense"]["kernel"] - before["dense"]["kernel"]).max()
    drift = np.abs(after.ema_params["dense"]["kernel"] - before["dense"]["kernel"])
    # The first step has a learning rate of 0 by the warm-up.
    assert rate == 0
    assert drift.max() < 1e-6


def test_no_model_is_loaded_without_a_path():
    assert load_initial_model(None) is None

"""JAX under the variables and settings that users have: same numbers, or one line."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import cnn
from cnn import forward
from cnn.jax_environment import own_settings
from tests.conftest import ROOT, command
from tests.test_cli import SMALL, failure

OVERRIDDEN = {
    "jax_enable_x64": True,
    "jax_disable_jit": True,
    "jax_debug_nans": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_default_matmul_precision": "bfloat16",
    "jax_transfer_guard": "disallow",
    "jax_default_prng_impl": "rbg",
    "jax_check_tracer_leaks": True,
}

HOSTILE = {
    "JAX_ENABLE_X64": "1",
    "JAX_DEBUG_NANS": "1",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_TRANSFER_GUARD": "disallow",
    "JAX_CHECK_TRACER_LEAKS": "maybe",
    "JAX_DUMP_IR_TO": "/proc/nowhere",
    "FLAX_LAZY_RNG": "maybe",
}


def classify():
    rng = np.random.default_rng(0)
    params = {
        "conv2d": {"kernel": rng.normal(size=(3, 3, 1, 32)), "bias": np.zeros(32)},
        "conv2d_1": {"kernel": rng.normal(size=(3, 3, 32, 64)), "bias": np.zeros(64)},
        "conv2d_2": {"kernel": rng.normal(size=(3, 3, 64, 64)), "bias": np.zeros(64)},
        "dense": {"kernel": rng.normal(size=(576, 64)), "bias": np.zeros(64)},
        "dense_1": {"kernel": rng.normal(size=(64, 10)), "bias": np.zeros(10)},
    }
    params = jax.tree.map(np.float32, params)
    images = rng.integers(0, 256, (3, 28, 28), np.uint8)
    return forward.forward_in_batches(params, images, 10)


@pytest.fixture(scope="module")
def expected():
    return classify()


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_settings_of_the_users_program_change_no_number(name, expected):
    before = getattr(jax.config, name)
    jax.config.update(name, OVERRIDDEN[name])
    try:
        found = classify()
        assert getattr(jax.config, name) == OVERRIDDEN[name]
    finally:
        jax.config.update(name, before)
    for array, same in zip(found, expected, strict=True):
        assert array.dtype == np.float32
        assert np.array_equal(array, same)


def test_the_settings_of_the_user_return_after_the_block():
    with jax.enable_x64(True):
        with own_settings():
            assert jax.numpy.ones(1, float).dtype == np.float32
        assert jax.numpy.ones(1, float).dtype == np.float64


def train(small_dir, folder, variables, epochs=1):
    arguments = (*SMALL, "--data-dir", small_dir, "--batch-size", 64)
    return subprocess.run(
        command("train", *arguments, "--epochs", epochs),
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_training_ignores_variables_that_change_numbers_and_says_so(
    small_dir, tmp_path
):
    results = []
    for variables in ({}, HOSTILE):
        folder = tmp_path / str(len(variables))
        folder.mkdir()
        done = train(small_dir, folder, variables)
        assert done.returncode == 0, done.stderr
        results.append(done.stdout)
    assert results[0] == results[1]
    names = ", ".join(sorted(HOSTILE))
    assert f"ignored variables of the environment: {names}\n" in done.stderr


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("JAX_PLATFORMS=cuda", "JAX_PLATFORMS=cuda: JAX finds no such devices here"),
        ("JAX_PLATFORM_NAME=gpu", "JAX_PLATFORM_NAME"),
        ("JAX_LOG_COMPILES=maybe", "check or unset JAX_LOG_COMPILES"),
        ("XLA_FLAGS=--xla_foo=1", "Unknown flag in XLA_FLAGS: --xla_foo=1"),
    ],
)
def test_a_wrong_variable_is_one_line(variable, words, tmp_path, trained):
    if jax.default_backend() == "gpu" and "PLATFORM" in variable:
        pytest.skip("this machine has the device")
    name, _, value = variable.partition("=")
    model = trained / "mnist_model.h5"
    arguments = ("--input", ROOT / "tests" / "samples", "--model", model)
    done = subprocess.run(
        command("infer", *arguments, "--workers", 0, "--plot", "none"),
        cwd=tmp_path,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert words in failure(done, 1)
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_training_without_the_named_device_is_one_line(small_dir, tmp_path):
    words = "error: JAX_PLATFORMS=lpu: JAX finds no such devices here"
    done = train(small_dir, tmp_path, {"JAX_PLATFORMS": "lpu"})
    assert failure(done, 1).startswith(words)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_device_is_an_error_of_this_package(trained):
    script = (
        "import cnn, sys\n"
        "try:\n"
        "    cnn.Classifier.load(sys.argv[1])\n"
        "except cnn.Error as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, trained / "mnist_model.h5"],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "lpu"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.startswith("JAX_PLATFORMS=lpu: JAX finds no such devices here")


def test_a_model_and_a_checkpoint_load_in_a_program_of_64_bits(trained):
    with jax.enable_x64(True):
        for path in (trained / "mnist_model.h5", trained / "runs" / "mnist"):
            classifier = cnn.Classifier.load(path)
            images = np.zeros((1, 28, 28), np.uint8)
            assert classifier.predict_proba(images).dtype == np.float32

"""The compiled network that is kept between runs: the same rows, whatever is there."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from cnn import compiled_forward, keras_h5
from cnn.compiled_forward import Shape
from cnn.library_variables import CACHE_SETTINGS
from tests.conftest import ROOT, command
from tests.reference import random_params

# A line of PYTHONPROFILEIMPORTTIME.
IMPORT_OF_JAX = re.compile(rb"\| +jax\n")
SCRIPT = """
import sys
import numpy as np
from cnn.compilation_cache import enable_compilation_cache
from cnn.forward import forward_in_batches
from tests.reference import random_params

enable_compilation_cache()
rng = np.random.default_rng(0)
results = []
for images in (rng.integers(0, 256, (70, 28, 28), np.uint8), rng.random((70, 28, 28))):
    results += forward_in_batches(random_params(), images, 10)
np.savez(sys.argv[1], *results, loads_jax="jax" in sys.modules)
"""
METADATA = {"class_names": [*"0123456789"], "preprocessing": "mnist"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.h5"
    keras_h5.save(path, random_params(), METADATA)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory, digit_paths, model):
    """A folder with the program that a first run has kept."""
    folder = tmp_path_factory.mktemp("cache")
    rows, loads_jax = infer(folder, digit_paths[0], model)
    assert loads_jax
    assert rows.count(b"\n") == 2
    assert len(list(folder.glob("cnn_forward-*"))) == 1
    return folder


def infer(cache, folder, model, **variables):
    """Returns the rows, and whether the process has imported JAX."""
    variables = {"JAX_COMPILATION_CACHE_DIR": str(cache), **variables}
    done = subprocess.run(
        command(
            "infer", "--input", folder, "--model", model,
            "--plot", "none", "--probabilities", "--workers", 0,
        ),
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1", **variables},
        capture_output=True,
        timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, bool(IMPORT_OF_JAX.search(done.stderr))


def test_a_later_run_loads_the_program_and_not_jax(cache, digit_paths, model):
    """JAX_LOG_COMPILES is a variable of JAX, which only JAX obeys."""
    folder = os.path.dirname(digit_paths[0])
    kept, loads_jax = infer(cache, folder, model)
    assert not loads_jax
    computed, loads_jax = infer(cache, folder, model, JAX_LOG_COMPILES="0")
    assert loads_jax
    assert kept == computed
    assert kept.count(b"\n") == 301


def test_a_picture_has_the_same_row_alone(cache, digit_paths, model):
    folder = os.path.dirname(digit_paths[0])
    rows, _ = infer(cache, folder, model)
    for path in digit_paths[:3]:
        alone, loads_jax = infer(cache, path, model)
        assert not loads_jax
        assert alone.splitlines()[1] in rows.splitlines()


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_a_damaged_program_is_computed_and_kept_anew(
    damage, cache, digit_paths, model, tmp_path
):
    (path,) = cache.glob("cnn_forward-*")
    program = path.read_bytes()
    copy = tmp_path / path.name
    middle = len(program) // 2
    changed = bytes([program[middle] ^ 1])
    copy.write_bytes(
        {
            "truncated": program[:middle],
            "changed": program[:middle] + changed + program[middle + 1 :],
            "empty": b"",
        }[damage]
    )
    expected, _ = infer(cache, digit_paths[0], model)
    rows, loads_jax = infer(tmp_path, digit_paths[0], model)
    assert loads_jax
    assert rows == expected
    _, loads_jax = infer(tmp_path, digit_paths[0], model)
    assert not loads_jax


def test_a_program_that_jaxlib_refuses_is_computed(cache, digit_paths, model, tmp_path):
    (path,) = cache.glob("cnn_forward-*")
    (tmp_path / path.name).write_bytes(compiled_forward._seal(b"of another jaxlib"))
    rows, loads_jax = infer(tmp_path, digit_paths[0], model)
    assert loads_jax
    assert rows == infer(cache, digit_paths[0], model)[0]


def test_a_program_is_kept_whole_although_jax_has_loaded_its_own_copy(
    digit_paths, model, tmp_path
):
    """JAX's copy, serialized again, would lack functions."""
    expected, _ = infer(tmp_path, digit_paths[0], model, **CACHE_SETTINGS)
    (path,) = tmp_path.glob("cnn_forward-*")
    path.unlink()
    assert any(tmp_path.glob("jit_forward-*-cache"))
    _, loads_jax = infer(tmp_path, digit_paths[0], model, **CACHE_SETTINGS)
    assert loads_jax
    rows, loads_jax = infer(tmp_path, digit_paths[0], model, **CACHE_SETTINGS)
    assert not loads_jax
    assert rows == expected


def test_a_folder_that_is_missing_is_not_made(digit_paths, model, tmp_path):
    _, loads_jax = infer(tmp_path / "missing", digit_paths[0], model)
    assert loads_jax


@pytest.mark.parametrize(
    "variable",
    ["XLA_FLAGS=", "JAX_PLATFORMS=tpu", "JAX_NUM_CPU_DEVICES=2", "FLAX_PROFILE=1"],
)
def test_variables_of_jax_are_left_to_jax(variable, monkeypatch, tmp_path):
    usable_here(monkeypatch, tmp_path)
    assert compiled_forward.is_usable()
    monkeypatch.setenv(*variable.split("="))
    assert not compiled_forward.is_usable()


def test_a_module_of_other_devices_is_left_to_jax(monkeypatch, tmp_path):
    usable_here(monkeypatch, tmp_path)
    (tmp_path / "jax_plugins").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not compiled_forward.is_usable()


def test_only_a_command_keeps_programs(monkeypatch, tmp_path):
    usable_here(monkeypatch, tmp_path)
    monkeypatch.setattr("cnn.compilation_cache._is_enabled", False)
    assert not compiled_forward.is_usable()


def usable_here(monkeypatch, folder):
    """Makes this process one that has no JAX, as a command is at its start."""
    for name in list(os.environ):
        if name.startswith(("JAX_", "XLA_", "FLAX_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder))
    monkeypatch.setattr("cnn.compilation_cache._is_enabled", True)
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    sys.modules.pop("jax", None)
    compiled_forward._describe_libraries.cache_clear()


def test_the_name_of_a_program_depends_on_its_shape(monkeypatch, tmp_path):
    usable_here(monkeypatch, tmp_path)
    shapes = [
        Shape(10, 16, "float32"),
        Shape(11, 16, "float32"),
        Shape(10, 32, "float32"),
        Shape(10, 16, "uint8"),
    ]
    assert len({compiled_forward._path(shape) for shape in shapes}) == 4


def test_integers_and_floats_have_the_same_bits_as_jax(cache, tmp_path):
    """In a process that computes by JAX, and in one that has no need to."""
    outputs = []
    for name in ("kept", "kept", "computed"):
        variables = {"JAX_COMPILATION_CACHE_DIR": str(cache)}
        variables |= {"JAX_LOG_COMPILES": "0"} if name == "computed" else {}
        output = tmp_path / f"{name}.npz"
        subprocess.run(
            [sys.executable, "-c", SCRIPT, output],
            cwd=ROOT,
            env={**os.environ, **variables},
            check=True,
            timeout=200,
        )
        outputs.append(np.load(output))
    _, kept, computed = outputs
    assert kept["loads_jax"] == 0
    assert computed["loads_jax"] == 1
    for array in kept.files[1:]:
        np.testing.assert_array_equal(kept[array], computed[array])

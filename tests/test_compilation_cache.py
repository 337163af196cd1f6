"""The folder of compiled programs."""

import os

import pytest

from cnn.compilation_cache import enable_compilation_cache

VARIABLE = "JAX_COMPILATION_CACHE_DIR"


@pytest.fixture
def environment(monkeypatch):
    """The environment as JAX reads it, restored after the test."""
    monkeypatch.setenv(VARIABLE, "restored afterwards")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "1")
    return monkeypatch


def test_the_folder_is_made_in_the_users_cache(environment, tmp_path):
    environment.setenv("XDG_CACHE_HOME", str(tmp_path))
    enable_compilation_cache()
    (folder,) = (tmp_path / "cnn").iterdir()
    assert folder.name.startswith("jax-")
    assert os.environ[VARIABLE] == str(folder)
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "1"


def test_a_folder_of_the_user_is_kept(environment, tmp_path):
    environment.setenv("XDG_CACHE_HOME", str(tmp_path))
    environment.setenv(VARIABLE, "mine")
    enable_compilation_cache()
    assert os.environ[VARIABLE] == "mine"
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_is_no_cache(environment, tmp_path):
    (tmp_path / "file").touch()
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    enable_compilation_cache()
    assert VARIABLE not in os.environ

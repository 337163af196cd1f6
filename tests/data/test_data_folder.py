"""Where sets are prepared, with and without a home."""

import os
import tempfile
from pathlib import Path

import pytest

from cnn import data
from cnn.data.data_folder import open_data_folder
from cnn.errors import UsageError


@pytest.fixture
def no_home(monkeypatch, tmp_path):
    """A home that cannot be made, and an empty temporary folder."""
    (tmp_path / "file").touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for name in ("TFDS_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def opened(data_dir=None):
    with open_data_folder(data_dir) as folder:
        return folder


def test_the_folder_is_the_given_one_or_that_of_the_variable(no_home, tmp_path):
    no_home.setenv("TFDS_DATA_DIR", "relative")
    assert opened() == Path.cwd() / "relative"
    assert opened(tmp_path / "given") == tmp_path / "given"


def test_the_folder_is_in_the_home(no_home, tmp_path):
    no_home.setenv("HOME", str(tmp_path))
    assert opened() == tmp_path / "tensorflow_datasets"
    assert opened("~/sets") == tmp_path / "sets"


@pytest.mark.parametrize("home", ["", "relative", "{tmp_path}/file/home"])
def test_without_a_home_the_folder_is_in_the_cache(no_home, tmp_path, home):
    no_home.setenv("HOME", home.format(tmp_path=tmp_path))
    no_home.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert opened() == tmp_path / "cache" / "cnn" / "tensorflow_datasets"


def test_without_any_of_these_the_folder_is_removed_at_the_end(
    no_home, tmp_path, capsys
):
    with open_data_folder(None) as folder:
        assert folder.parent == tmp_path / "temporary"
        (folder / "file").touch()
    assert os.listdir(folder.parent) == []
    assert "give --data-dir to keep them" in capsys.readouterr().err


@pytest.mark.parametrize("uri", ["gs://bucket/sets", "s3://bucket", "file:///sets"])
def test_a_uri_is_refused_and_makes_no_folder(no_home, tmp_path, uri):
    no_home.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    for data_dir in (uri, Path(uri)):
        with pytest.raises(UsageError, match="is not a local path"):
            data.load("mnist", "train", data_dir)
    assert sorted(tmp_path.iterdir()) == before

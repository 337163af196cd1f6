from pathlib import Path

import pytest

from cnn.errors import UsageError
from cnn.local_path import local_path


@pytest.mark.parametrize("path", ["a/b", "C:/b", "a:b/c", "./gs:/b", "a~/b", "/a://b"])
def test_a_path_is_kept(path):
    assert local_path(path) == Path(path)


def test_the_home_is_filled_in(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert local_path("~/model.h5") == Path("/home/me/model.h5")


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_no_absolute_path_is_not_used(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    with pytest.raises(UsageError, match="~/model.h5: there is no home folder"):
        local_path("~/model.h5")


def test_a_uri_is_named_as_it_was_written():
    with pytest.raises(UsageError, match=r"^gs://bucket/run: is a URI"):
        local_path(Path("gs://bucket/run"))

from pathlib import Path

import pytest

from cnn import data
from cnn.data import explain_errors
from tests.data.conftest import message


def test_an_unknown_version_is_refused_with_the_known(tmp_path):
    assert message("mnist:9.9.9", data_dir=tmp_path) == (
        "data set 'mnist:9.9.9' cannot be loaded at version 9.9.9, only: 3.0.1."
    )
    assert (
        message("mnist/x", data_dir=tmp_path)
        == "data set 'mnist/x': it has no configurations"
    )


def test_an_unknown_configuration_is_refused_with_the_known(tmp_path):
    assert "expected one of byclass, bymerge, balanced" in message(
        "emnist/latin", data_dir=tmp_path
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(28, "No space left on device"),
            "no space left to prepare data set 'mnist' in",
        ),
        (
            PermissionError(13, "Permission denied"),
            "no permission to prepare data set 'mnist' in",
        ),
        (
            ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow"),
            "pip install tensorflow-cpu",
        ),
    ],
)
def test_what_the_system_refuses_is_explained(error, words):
    with (
        pytest.raises(data.DataError, match=words),
        explain_errors.translate_errors("mnist", Path("/data")),
    ):
        raise RuntimeError("somewhere in tfds") from error

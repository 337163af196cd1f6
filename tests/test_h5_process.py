import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from cnn import h5_seal, keras_h5
from tests.conftest import ROOT
from tests.reference import random_params

METADATA = {"class_names": list("0123456789")}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """The content of a model file without our checksum."""
    path = tmp_path_factory.mktemp("foreign") / "m.h5"
    keras_h5.save(path, random_params(), METADATA)
    return bytes(h5_seal.USER_BLOCK_SIZE) + path.read_bytes()[512:]


@pytest.fixture
def endless(tmp_path):
    """A file with a string of length 0, at which HDF5 searches for ever."""
    path = tmp_path / "endless.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
    content = path.read_bytes()
    size = content.index(b"GCOL") + 24
    path.write_bytes(content[:size] + bytes(8) + content[size + 8 :])
    return path


def test_a_file_that_hangs_hdf5_is_refused_within_seconds(endless):
    start = time.monotonic()
    with pytest.raises(keras_h5.ModelFileError, match="HDF5 comes to no end"):
        keras_h5.load(endless)
    assert time.monotonic() - start < 20


def test_where_no_process_can_be_started_the_file_is_read_in_this_one(
    foreign, tmp_path, monkeypatch, capsys
):
    (tmp_path / "m.h5").write_bytes(foreign)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    params, _ = keras_h5.load(tmp_path / "m.h5")
    np.testing.assert_equal(params, random_params())
    warning = capsys.readouterr().err
    assert warning.startswith("warning: no process can be started to read the model")
    assert warning.count("\n") == 1


LOAD = "import sys; from cnn import keras_h5; keras_h5.load(sys.argv[1])"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_reader_ends_with_the_process_that_started_it(endless, sign):
    parent = subprocess.Popen(
        [sys.executable, "-c", LOAD, endless], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    (reader,) = wait_for(lambda: children(parent.pid))
    time.sleep(0.5)  # Into the reading.
    parent.send_signal(sign)
    parent.wait(timeout=20)
    wait_for(lambda: not os.path.exists(f"/proc/{reader}"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def wait_for(condition):
    for _ in range(1000):
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError("waited for 10 s")


@pytest.mark.parametrize(
    "variable", ["HDF5_DRIVER", "HDF5_VOL_CONNECTOR", "HDF5_PLUGIN_PATH"]
)
def test_hdf5_starts_without_the_users_plugins(foreign, tmp_path, variable):
    (tmp_path / "m.h5").write_bytes(foreign)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / "m.h5"],
        cwd=ROOT,
        env={**os.environ, variable: "none"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_the_reader_is_small():
    code = (
        "import sys, cnn.h5_process; print(*{'jax', 'PIL', 'scipy'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "\n", done.stderr

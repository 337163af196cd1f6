import errno
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from tensorflow_datasets.core.download import downloader

from cnn.data import builders, datasets, prepare
from tests.conftest import ROOT, command, idx, interrupt
from tests.data.conftest import MNIST_FOLDER, message


def test_two_processes_prepare_the_same_set_once(tmp_path):
    script = (
        "import sys; from cnn import data\n"
        "print(len(data.load('mnist', 'test', sys.argv[1]).labels))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [stdout for stdout, _ in outputs] == ["10000\n"] * 2, outputs
    assert sum("preparing mnist" in stderr for _, stderr in outputs) == 1
    assert not (tmp_path / ".cnn-lock").exists()


def test_the_lock_file_of_a_killed_process_stops_nobody(small_server, tmp_path):
    (tmp_path / ".cnn-lock").touch()
    assert len(datasets.load("kmnist", "train", tmp_path).labels) == 20
    assert not (tmp_path / ".cnn-lock").exists()


def test_settings_of_the_libraries_are_put_back(small_server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloader, "MAX_RETRIES", 7)
    logger = logging.getLogger("urllib3")
    level = logger.level
    logger.setLevel(logging.INFO)
    seen = []
    try:
        with prepare._few_retries():
            seen.append((downloader.MAX_RETRIES, logger.level))
        datasets.load("kmnist", "train", tmp_path)
        seen.append((downloader.MAX_RETRIES, logger.level))
    finally:
        logger.setLevel(level)
    assert seen == [(4, logging.ERROR), (7, logging.INFO)]


@pytest.fixture
def small_server(server, monkeypatch):
    """Serves a `kmnist` of 20 + 20 images."""
    folder, url = server
    images = np.zeros((20, 28, 28), np.uint8)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(20) % 10))
    monkeypatch.setattr(builders.Kmnist, "URL", url)


def test_no_network_is_said_in_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(builders.Kmnist, "URL", "http://127.0.0.1:9/")
    text = message("kmnist", data_dir=tmp_path)
    assert "no answer from http://127.0.0.1:9/" in text
    assert "put the files by hand into" in text
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_damaged_embedded_file_fails_the_checksum_and_leaves_nothing(
    tmp_path, monkeypatch
):
    damaged = shutil.copytree(MNIST_FOLDER, tmp_path / "mnist")
    path = damaged / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(prepare, "MNIST_FOLDER", damaged)
    text = message("mnist", data_dir=tmp_path / "data")
    assert "t10k-images-idx3-ubyte.gz" in text
    assert "wrong checksum" in text
    assert "install cnn again" in text
    assert not list((tmp_path / "data").rglob("*record*"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    assert str(tmp_path / "file" / "data") in message(
        "mnist", data_dir=tmp_path / "file" / "data"
    )


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_set_is_prepared_where_the_disk_has_no_locks(
    small_server, tmp_path, monkeypatch, capsys, number
):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert len(datasets.load("kmnist", "train", tmp_path).labels) == 20
    assert f"no locks ({os.strerror(number)})" in capsys.readouterr().err


def test_an_empty_folder_counts_as_not_prepared(small_server, tmp_path):
    (tmp_path / "kmnist" / "3.0.1").mkdir(parents=True)
    assert len(datasets.load("kmnist", "train", tmp_path).labels) == 20


def test_half_a_set_is_kept_and_said_to_be_half(small_server, tmp_path):
    datasets.load("kmnist", "train", tmp_path)
    folder = tmp_path / "kmnist" / "3.0.1"
    (folder / "dataset_info.json").unlink()
    left = sorted(folder.iterdir())
    text = message("kmnist", data_dir=tmp_path)
    assert f"{folder}: not a prepared set, it has no dataset_info.json" in text
    assert sorted(folder.iterdir()) == left


def test_a_preparation_removes_what_a_killed_one_has_left(small_server, tmp_path):
    data_dir = tmp_path / "data"
    left = data_dir / ".cnn-preparing" / "mnist" / "incomplete.ABCDEF_3.0.1"
    left.mkdir(parents=True)
    (left / "half.array_record").touch()
    datasets.load("kmnist", "train", data_dir)
    assert sorted(path.name for path in data_dir.iterdir()) == ["downloads", "kmnist"]


def test_a_preparation_leaves_the_temporary_folder_empty(
    small_server, tmp_path, monkeypatch
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    datasets.load("kmnist", "train", tmp_path / "data")
    assert tempfile.tempdir == str(temporary)
    assert list(temporary.iterdir()) == []


def test_a_stopped_preparation_leaves_nothing(tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    data_dir = tmp_path / "data"
    process = subprocess.Popen(
        command("train", "--data-dir", data_dir),
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not list(data_dir.glob(".cnn-preparing/*/*")):
        time.sleep(0.01)
    assert interrupt(process, signal.SIGTERM) == 143
    assert list(data_dir.rglob("*record*")) == []
    assert not (data_dir / ".cnn-preparing").exists()
    assert list(temporary.iterdir()) == []

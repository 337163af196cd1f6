import logging
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tensorflow_datasets.core.download import downloader

from cnn.data import builders, datasets, prepare
from tests.conftest import ROOT, idx
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

"""Fixtures of several test files: data sets, a trained model, image files, commands."""

import functools
import gzip
import http.server
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn.data import builders, datasets

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tfds folder with MNIST, prepared from the embedded files."""
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(folder))
        datasets.load("mnist", "train")
        datasets.load("mnist", "test")
        yield folder


@pytest.fixture(scope="session")
def mnist_test(data_dir: Path) -> datasets.Dataset:
    return datasets.load("mnist", "test")


def idx(array: np.ndarray) -> bytes:
    """Writes an IDX file by its definition, apart from the reader that is tested."""
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A web server on this machine: the folder that it serves, and its address."""
    yield from _serve(tmp_path / "served")


def _serve(folder: Path) -> Iterator[tuple[Path, str]]:
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def small_dir(
    tmp_path_factory: pytest.TempPathFactory, mnist_test: datasets.Dataset
) -> Path:
    """A tfds folder with a `kmnist` of 640 + 128 digits, for quick trainings."""
    folder = tmp_path_factory.mktemp("small")
    parts = {"train": slice(0, 640), "t10k": slice(640, 768)}
    with pytest.MonkeyPatch.context() as patch:
        for served, url in _serve(tmp_path_factory.mktemp("web") / "served"):
            for part, which in parts.items():
                images, labels = (
                    mnist_test.images[which, ..., 0],
                    mnist_test.labels[which],
                )
                (served / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
                (served / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
            patch.setattr(builders.Kmnist, "URL", url)
            datasets.load("kmnist", "train", folder)
            datasets.load("kmnist", "test", folder)
    return folder


@pytest.fixture(scope="session")
def digit_paths(
    mnist_test: datasets.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Paths of 300 digits as PNG files."""
    folder = tmp_path_factory.mktemp("digits")
    paths = [folder / f"{i}.png" for i in range(300)]
    for path, digit in zip(paths, mnist_test.images[..., 0], strict=False):
        Image.fromarray(digit).save(path)
    return list(map(str, paths))


@pytest.fixture(scope="session")
def large_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of an image that takes seconds to decode."""
    path = tmp_path_factory.mktemp("large") / "large.png"
    Image.new("RGB", (13_000, 13_000), "white").save(path, compress_level=1)
    return str(path)


Run = Callable[..., subprocess.CompletedProcess]


def command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "bin" / name), *map(str, arguments)]


@pytest.fixture
def run(data_dir: Path, tmp_path: Path) -> Run:
    """Runs bin/train or bin/infer in an empty folder, as a user would."""

    def run_command(
        name: str, *arguments: object, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            command(name, *arguments),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run_command


@pytest.fixture(scope="session")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the network was trained on real MNIST for an epoch."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = ("--preset", "fast", "--epochs", 1)
    done = subprocess.run(
        command("train", *arguments),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def interrupt(process: subprocess.Popen, sign: int) -> int:
    """Sends a signal and waits for the end."""
    os.kill(process.pid, sign)
    return process.wait(timeout=120)


def pytest_configure() -> None:
    """Restores what a background job or nohup, and the runs in it, would ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _set_variables_of_commands()


def _set_variables_of_commands() -> None:
    """Sets variables that `tests.surroundings` wants for commands, not for this process.

    The libraries read theirs when they are imported.
    """
    variables = json.loads(os.environ.pop("CNN_TEST_VARIABLES", "{}"))
    if variables:
        import cnn.forward
        import cnn.plots  # noqa: F401

        os.environ.update(variables)


STOPPING_SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}

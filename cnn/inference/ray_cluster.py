"""Connects to a Ray cluster, or starts one on this machine that leaves nothing."""

import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cnn
from cnn.atomic_write import temporary_folder
from cnn.errors import Error

# Bytes of the path of the temporary folder. Ray has sockets in it, whose names have
# some 60 bytes more, and at most 107 on Linux.
_MAX_TEMPORARY_PATH = 30


class ClusterError(Error):
    """Ray is not installed, or could not do the work."""


@contextlib.contextmanager
def connect_to_cluster(address: str | None) -> Iterator[Any]:
    """Connects to a cluster until the end of the `with` block.

    Args:
      address: address of the cluster, or None to start one on this machine.

    Yields:
      The module `ray`.

    Raises:
      ClusterError: Ray is not installed, or the cluster cannot be reached.
    """
    with _cluster_folder(address) as folder:
        ray = _initialize(address, folder)
        try:
            yield ray
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _cluster_folder(address: str | None) -> Iterator[str | None]:
    """Makes a folder for the files of a cluster on this machine, and removes it.

    Yields:
      Its path, or None if the cluster is another one.
    """
    if address is not None:
        yield None
        return
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _MAX_TEMPORARY_PATH:
        parent = "/tmp"
    name = f"cnn-{os.getpid()}-{os.urandom(4).hex()}"
    with temporary_folder(Path(parent, name)) as folder:
        yield str(folder)


def _initialize(address: str | None, folder: str | None) -> Any:
    """Connects to a cluster or starts one, and returns `ray`.

    Args:
      address: address of the cluster, or None to start one.
      folder: for the files of a cluster that is started.

    Raises:
      ClusterError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = _import_ray()
    try:
        with tempfile.TemporaryDirectory() as working_dir, _keep_signal_handlers():
            ray.init(
                address or "local",
                runtime_env=_make_runtime_env(working_dir),
                logging_level=logging.ERROR,
                log_to_driver=False,
                _temp_dir=folder,
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        first_line = str(error).splitlines()[0]
        raise ClusterError(f"--ray-address {address}: {first_line}") from error
    return ray


@contextlib.contextmanager
def _keep_signal_handlers() -> Iterator[None]:
    """Restores handlers that Ray replaces. Its own print a stack trace."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.getsignal(number) for number in numbers}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in previous.items():
            signal.signal(number, handler)


def _make_runtime_env(working_dir: str) -> dict[str, Any]:
    """Describes what workers receive. They have the dependencies installed.

    Args:
      working_dir: an empty folder, which workers copy. Without it, they would import
        modules from the working directory of this process.
    """
    return {
        "py_modules": [str(Path(cnn.__file__).parent)],
        "working_dir": working_dir,
        "excludes": ["data/mnist", "**/__pycache__"],
    }


def _import_ray() -> Any:
    # Ray reads this when it is imported. It would report statistics of its use.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"--engine ray: {error.name} is not installed for {sys.executable}; run: "
            "pip install 'cnn[ray]', in a clone pip install -e '.[ray]'"
        ) from error
    return ray

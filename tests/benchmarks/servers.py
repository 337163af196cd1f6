"""Starts and ends servers on free ports of this machine, for the benchmarks."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cnn import models
from tests.benchmarks.environments import environment
from tests.conftest import command

HOST = "127.0.0.1"
# Keras' backend and method. Tutorials take the first, and nothing of Keras is quicker
# than the second.
PEERS = {
    "tutorial": ("tensorflow", "predict"),
    "tutorial on JAX": ("jax", "predict"),
    "quickest Keras": ("jax", "predict_on_batch"),
}
_PEER = Path(__file__).with_name("serving_peer.py")
_START_SECONDS = 120
_END_SECONDS = 60


class Server(NamedTuple):
    """A running server.

    Attributes:
      process: of its command.
      port: that it listens on.
      log: its messages.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path


@contextlib.contextmanager
def start_ours(*arguments: object, **variables: str) -> Iterator[Server]:
    """Starts `bin/serve` with the shipped model, and ends it.

    Args:
      *arguments: further flags.
      **variables: of the environment.
    """
    flags = ("--port", 0, "--model", "digits", *arguments)
    with _run(command("serve", *flags), variables) as (process, log):
        yield Server(process, _find_port(process, log), log)


@contextlib.contextmanager
def start_peer(name: str) -> Iterator[Server]:
    """Starts a server of `PEERS`, and ends it."""
    backend, method = PEERS[name]
    port = _free_port()
    model = str(models.find_model("digits"))
    peer = [environment("fastapi"), str(_PEER), model, str(port), method]
    variables = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with _run(peer, variables) as (process, log):
        _wait_for_port(process, port, log)
        yield Server(process, port, log)


def post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    """Sends one request on a connection of its own.

    Returns:
      Status and body of the answer.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=_START_SECONDS)
    with contextlib.closing(connection):
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, response.read()


@contextlib.contextmanager
def _run(
    arguments: list[str], variables: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Runs a command in an empty folder, and ends it by a signal."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                arguments, cwd=folder, stderr=file, env={**os.environ, **variables}
            )
        try:
            yield process, log
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_SECONDS)
            finally:
                process.kill()


def _find_port(process: subprocess.Popen[bytes], log: Path) -> int:
    pattern = re.compile(rf"serving on http://{re.escape(HOST)}:(\d+)/")
    for _ in _until_ended(process, log):
        if found := pattern.search(log.read_text()):
            return int(found[1])
    raise AssertionError


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in _until_ended(process, log):
        with contextlib.suppress(OSError), socket.create_connection((HOST, port)):
            return


def _until_ended(process: subprocess.Popen[bytes], log: Path) -> Iterator[None]:
    """Yields every few milliseconds; raises an error if the server does not start."""
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        yield
        time.sleep(0.005)
    raise SystemExit(f"the server did not start: {log.read_text()}")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

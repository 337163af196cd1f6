"""Servers of the tests: real processes on free ports of this machine."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.conftest import ROOT, command

SAMPLES = ROOT / "tests" / "samples"
NUMBERS = ROOT / "tests" / "number_samples"
SEVEN = SAMPLES / "mnist_7.png"


class Server(NamedTuple):
    """A server, and a client of it."""

    process: subprocess.Popen
    port: int
    client: httpx.Client
    corrections: Path

    def read(self, content: bytes, query: str = "") -> httpx.Response:
        return self.client.post(f"/read?{query}", content=content)

    def read_files(self, paths: list[Path], query: str = "") -> httpx.Response:
        files = [("files", (path.name, path.read_bytes())) for path in paths]
        return self.client.post(f"/read?{query}", files=files)

    def children(self) -> list[int]:
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in task.read_text().split()]


@contextlib.contextmanager
def start_server(folder: Path, *arguments: object) -> Iterator[Server]:
    """Starts bin/serve on a free port, and ends it."""
    process = subprocess.Popen(
        command("serve", "--port", 0, *arguments),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = None
        lines = []
        while found is None:  # Other lines may tell of ignored variables.
            lines.append(process.stderr.readline())
            assert lines[-1], lines
            found = re.match(r"serving on (http://\S+:(\d+))/", lines[-1])
        with httpx.Client(base_url=found[1], timeout=120) as client:
            yield Server(process, int(found[2]), client, folder / "corrections")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the shipped model that keeps corrections."""
    folder = tmp_path_factory.mktemp("serving")
    with start_server(folder, "--corrections", folder / "corrections") as started:
        yield started


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Server]:
    """A server with low limits."""
    limits = ("--max-megabytes", 1, "--max-files", 3, "--max-pages", 4)
    with start_server(tmp_path, *limits, "--request-timeout", 2) as started:
        yield started


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def open_descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))

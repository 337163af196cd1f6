"""Processes that die, hang or run out of memory, and what becomes of their files."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn.inference import decode_pool
from cnn.preprocessing import pipeline
from tests.conftest import command


@pytest.fixture(scope="module")
def paths(mnist_test, tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("many")
    for i in range(300):
        Image.fromarray(mnist_test.images[i, ..., 0]).save(folder / f"{i}.png")
    return [str(folder / f"{i}.png") for i in range(300)] * 10


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> str:
    """A picture that takes seconds to decode."""
    path = tmp_path_factory.mktemp("large") / "large.png"
    Image.new("RGB", (13_000, 13_000), "white").save(path, compress_level=1)
    return str(path)


def kill_children():
    for process in multiprocessing.active_children():
        with contextlib.suppress(
            ProcessLookupError, TypeError
        ):  # It has ended, or not begun.
            os.kill(process.pid, 9)


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[1:] == other[1:]
        np.testing.assert_array_equal(one.candidates, other.candidates)


def test_processes_that_are_killed_are_replaced_and_their_files_read(paths):
    expected = pipeline.preprocess_files(paths[:300], "mnist") * 10
    stop = threading.Event()

    def kill():
        while not stop.wait(0.3):
            kill_children()

    with decode_pool.open_pool(2) as decoders:
        found = decoders.decode(paths, "mnist")
        start = [next(found)]
        killer = threading.Thread(target=kill)
        killer.start()
        time.sleep(0.3)  # Some die before they are asked again.
        rest = [next(found) for _ in range(1500)]
        stop.set()
        killer.join()
        same(start + rest + list(found), expected)


def test_a_file_whose_process_dies_twice_has_a_row_that_says_so(paths, large):
    names = [*paths[:5], large, *paths[5:10]]
    stop = threading.Event()

    def kill():
        while not stop.is_set():
            time.sleep(0.2)
            kill_children()

    with decode_pool.open_pool(1) as decoders:
        found = decoders.decode(names, "mnist")
        killer = threading.Thread(target=kill)
        killer.start()
        found = list(found)
        stop.set()
        killer.join()
    assert found[5] == (None, "unreadable", "killed the process that read it, twice")
    same(found[:5] + found[6:], pipeline.preprocess_files(paths[:10], "mnist"))


def test_a_file_that_takes_too_long_has_a_row_that_says_so(paths, large):
    names = [*paths[:5], large, *paths[5:10]]
    with decode_pool.open_pool(1, timeout=0.3) as decoders:
        found = list(decoders.decode(names, "mnist"))
    assert found[5] == (None, "unreadable", "took longer than 0.3 s")
    same(found[:5] + found[6:], pipeline.preprocess_files(paths[:10], "mnist"))


def test_names_of_any_length_pass(paths, tmp_path):
    deep = tmp_path.joinpath(*["x" * 250] * 6)
    deep.mkdir(parents=True)
    names = [str(deep / f"{'y' * 200}{i}.png") for i in range(200)]
    for name in names[::2]:
        Path(name).symlink_to(paths[0])
    with decode_pool.open_pool(2) as decoders:
        found = list(decoders.decode(names, "mnist"))
    assert [d.status for d in found] == ["ok", "unreadable"] * 100


def test_more_pictures_than_shared_memory_takes_come_through_the_pipe(
    paths, monkeypatch
):
    decoded = pipeline.preprocess_files(paths[:3], "mnist")
    monkeypatch.setattr(decode_pool, "_SHARED_IMAGES", 2)
    with decode_pool.open_pool(1) as decoders:
        same(list(decoders.decode(paths[:3], "mnist")), decoded)


def test_time_for_which_all_was_stopped_does_not_count(large, trained, tmp_path):
    """As by Ctrl-Z: nobody looked, and nothing was decoded."""
    (tmp_path / "scans").mkdir()
    os.link(large, tmp_path / "scans" / "large.png")
    flags = (
        "--model",
        trained / "mnist_model.h5",
        "--plot",
        "none",
        "--decode-timeout",
        5,
    )
    run = command("infer", "--input", tmp_path / "scans", *flags)
    with subprocess.Popen(
        run, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        while (
            process.poll() is None
        ):  # One of the stops comes while the picture is decoded.
            time.sleep(0.4)
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(5.5)
            os.killpg(process.pid, signal.SIGCONT)
        rows = process.stdout.read().decode()
    assert "took longer" not in rows
    assert "large.png,,,blank,no ink found" in rows

"""Processes that die, hang or are suspended, and the rows of their files."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import threading
import time

import pytest

from cnn.inference import decode_pool, decode_process
from cnn.preprocessing import pipeline
from tests.conftest import command
from tests.inference.test_decode_pool import assert_same


def kill_children():
    for process in multiprocessing.active_children():
        # It may have ended, or not begun.
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def killer(interval: float):
    """Kills all children again and again."""
    stop = threading.Event()

    def kill():
        while not stop.wait(interval):
            kill_children()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_processes_that_are_killed_are_replaced_and_their_files_read(digit_paths):
    expected = pipeline.preprocess_files(digit_paths, "mnist") * 10
    with decode_pool.open_pool(2) as pool:
        files = pool.imap(digit_paths * 10, "mnist")
        found = [next(files)]
        with killer(interval=0.3):
            time.sleep(0.3)  # Some die before they are asked again.
            found += [next(files) for _ in range(1500)]
        assert_same(found + list(files), expected)


def test_a_file_whose_process_dies_twice_has_a_row_that_says_so(
    digit_paths, large_path
):
    paths = [*digit_paths[:5], large_path, *digit_paths[5:10]]
    with decode_pool.open_pool(1) as pool:
        files = pool.imap(paths, "mnist")
        with killer(interval=0.2):
            found = list(files)
    assert found[5] == (None, "unreadable", "killed the process that read it, twice")
    expected = pipeline.preprocess_files(digit_paths[:10], "mnist")
    assert_same(found[:5] + found[6:], expected)


def test_a_file_that_takes_too_long_has_a_row_that_says_so(digit_paths, large_path):
    paths = [*digit_paths[:5], large_path, *digit_paths[5:10]]
    with decode_pool.open_pool(1, timeout=0.3) as pool:
        found = list(pool.imap(paths, "mnist"))
    assert found[5] == (None, "unreadable", "took longer than 0.3 s")
    expected = pipeline.preprocess_files(digit_paths[:10], "mnist")
    assert_same(found[:5] + found[6:], expected)


def exit_at_once(*_):
    os._exit(1)


def test_processes_that_die_at_their_start_are_an_error(digit_paths, monkeypatch):
    monkeypatch.setattr(decode_process.decode_worker, "run_worker", exit_at_once)
    with decode_pool.open_pool(1) as pool:
        files = pool.imap(digit_paths, "mnist")
        with pytest.raises(decode_process.DecodingError, match="try --workers 0"):
            next(files)


def test_a_stall_lasts_from_the_last_progress_and_not_over_a_suspension(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(decode_process, "monotonic", lambda: now[0])
    timer = decode_process.StallTimer()
    seconds = []
    for step, progress in [(0, 1), (0.5, 1), (0.5, 1), (0.5, 2), (0.9, 2), (60, 2)]:
        now[0] += step
        seconds.append(timer.update(progress))
    assert seconds == pytest.approx([0, 0.5, 1, 0, 0.9, 0])


def test_time_for_which_all_was_stopped_does_not_count(large_path, trained, tmp_path):
    """As by Ctrl-Z: nobody polled, and nothing was decoded."""
    (tmp_path / "scans").mkdir()
    os.link(large_path, tmp_path / "scans" / "large.png")
    model = trained / "mnist_model.h5"
    flags = ("--model", model, "--plot", "none", "--decode-timeout", 5)
    run = command("infer", "--input", tmp_path / "scans", *flags)
    with subprocess.Popen(
        run, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        # One of the stops comes while the image is decoded.
        while process.poll() is None:
            time.sleep(0.4)
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(5.5)
            os.killpg(process.pid, signal.SIGCONT)
        rows = process.stdout.read().decode()
    assert "took longer" not in rows
    assert "large.png,,,blank,no ink found" in rows

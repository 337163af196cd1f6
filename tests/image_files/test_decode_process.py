"""Processes that die, hang or are suspended, and the rows of their files."""

import contextlib
import io
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from cnn import child_process
from cnn.image_files import decode_pool, decode_process
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import ReadOptions, Source
from tests.conftest import command
from tests.image_files.test_decode_pool import assert_same
from tests.training.processes import children

OPTIONS = ReadOptions("mnist")


def resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize()


def kill_children(min_bytes: int = 0):
    for child in children(os.getpid()):
        if resident_bytes(child) >= min_bytes:
            # It may have ended.
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@contextlib.contextmanager
def killer(interval: float, min_bytes: int = 0):
    """Kills all children of a minimum size again and again."""
    stop = threading.Event()

    def kill():
        while not stop.wait(interval):
            kill_children(min_bytes)

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
        files = pool.imap(map(Source, digit_paths * 10), OPTIONS)
        found = [next(files)]
        with killer(interval=1.0):
            time.sleep(1.5)  # Some die before they are asked again.
            found += [next(files) for _ in range(1500)]
        assert_same(found + list(files), expected)


def test_large_bytes_wait_until_a_process_has_handed_over_its_results(
    digit_paths, monkeypatch
):
    """Sent at once, they would make both sides wait for each other."""
    monkeypatch.chdir(Path(digit_paths[0]).parent)
    # Short names, so that a pipe holds three chunks of them.
    sources = [Source(Path(path).name) for path in digit_paths[:256]]
    file = io.BytesIO()
    Image.new("L", (1000, 1000), 255).save(file, "BMP")
    large = [Source("", content=file.getvalue())]
    # Three chunks have 2.4 megabytes of results, more than a pipe holds.
    chunks = [
        *(decode_process.Chunk(sources, OPTIONS) for _ in range(3)),
        decode_process.Chunk(large, OPTIONS),
        decode_process.Chunk(sources[:1], OPTIONS),
    ]
    process = decode_process.DecodeProcess(timeout=20)
    with contextlib.closing(process):
        for chunk in chunks:
            process.submit(chunk)
        while process.count_pending():
            process.poll()
    expected = pipeline.preprocess_files(digit_paths[:256], "mnist")
    for chunk in chunks[:3]:
        assert_same(chunk.files, expected)
    assert [file.status for file in chunks[3].files] == ["blank"]
    assert_same(chunks[4].files, expected[:1])


def test_a_file_whose_process_dies_twice_has_a_row_that_says_so(
    digit_paths, large_path
):
    paths = [*digit_paths[:5], large_path, *digit_paths[5:10]]
    with decode_pool.open_pool(1) as pool, killer(interval=0.05, min_bytes=400 << 20):
        found = list(pool.imap(map(Source, paths), OPTIONS))
    assert found[5][:3] == (
        None,
        "unreadable",
        "killed the process that read it, twice",
    )
    expected = pipeline.preprocess_files(digit_paths[:10], "mnist")
    assert_same(found[:5] + found[6:], expected)


def test_a_file_that_takes_too_long_has_a_row_that_says_so(digit_paths, large_path):
    paths = [*digit_paths[:5], large_path, *digit_paths[5:10]]
    with decode_pool.open_pool(1, timeout=0.3) as pool:
        found = list(pool.imap(map(Source, paths), OPTIONS))
    assert found[5][:3] == (None, "unreadable", "took longer than 0.3 s")
    expected = pipeline.preprocess_files(digit_paths[:10], "mnist")
    assert_same(found[:5] + found[6:], expected)


def test_where_processes_die_at_their_start_this_process_decodes(
    digit_paths, monkeypatch, capfd
):
    """As in a container that has memory for one process only."""
    monkeypatch.setattr(child_process, "helper_command", lambda *_: ["false"])
    expected = pipeline.preprocess_files(digit_paths, "mnist")
    with decode_pool.open_pool(2) as pool:
        assert_same(list(pool.imap(map(Source, digit_paths), OPTIONS)), expected)
    assert capfd.readouterr().err == (
        "warning: the processes that decode images cannot be kept (they die at their "
        "start), perhaps for lack of memory; going on without, slower and without "
        "--decode-timeout\n"
    )


def test_where_dead_processes_cannot_be_replaced_this_process_decodes(
    digit_paths, monkeypatch
):
    expected = pipeline.preprocess_files(digit_paths, "mnist") * 10
    with decode_pool.open_pool(1) as pool:
        files = pool.imap(map(Source, digit_paths * 10), OPTIONS)
        found = [next(files)]
        monkeypatch.setattr(child_process, "helper_command", lambda *_: ["/no/python"])
        kill_children()
        assert_same(found + list(files), expected)


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
            time.sleep(0.8)
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(5.5)
            os.killpg(process.pid, signal.SIGCONT)
        rows = process.stdout.read().decode()
    assert "took longer" not in rows
    assert "large.png,,,blank,no ink found" in rows

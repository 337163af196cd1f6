"""Decoding in processes: their number, the order, names and images of any size."""

import contextlib
import os
import resource
import types
from pathlib import Path

import numpy as np
import pytest

from cnn import parallel
from cnn.image_files import decode_pool
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import ReadOptions, Source

OPTIONS = ReadOptions("mnist")


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[1:3] == other[1:3]
        np.testing.assert_array_equal(one.candidates, other.candidates)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_files_come_in_order_whatever_the_number_of_processes(digit_paths, workers):
    expected = pipeline.preprocess_files(digit_paths, "mnist") * 5
    with decode_pool.open_pool(workers) as pool:
        assert_same(list(pool.imap(map(Source, digit_paths * 5), OPTIONS)), expected)


def test_files_are_taken_a_bounded_number_ahead(digit_paths):
    taken = []

    def take_paths():
        for path in digit_paths * 100:
            taken.append(path)
            yield path

    with decode_pool.open_pool(1) as pool:
        next(pool.imap(map(Source, take_paths()), OPTIONS))
    assert len(taken) <= decode_pool.MAX_WAITING_CHUNKS * decode_pool.MAX_CHUNK_SIZE


def test_names_of_any_length_pass(digit_paths, tmp_path):
    deep = tmp_path.joinpath(*["x" * 250] * 6)
    deep.mkdir(parents=True)
    names = [str(deep / f"{'y' * 200}{i}.png") for i in range(200)]
    for name in names[::2]:
        Path(name).symlink_to(digit_paths[0])
    with decode_pool.open_pool(2) as pool:
        found = list(pool.imap(map(Source, names), OPTIONS))
    assert [file.status for file in found] == ["ok", "unreadable"] * 100


def test_bytes_are_read_as_their_file_is(digit_paths):
    expected = pipeline.preprocess_files(digit_paths, "mnist")
    sources = [Source("", content=Path(path).read_bytes()) for path in digit_paths]
    with decode_pool.open_pool(2) as pool:
        assert_same(list(pool.imap(sources, OPTIONS)), expected)


@pytest.mark.parametrize(
    ("requested", "count", "expected"),
    [(None, 512, 3), (None, 511, 1), (1, 512, 1), (48, 10, 10), (0, 512, 0)],
)
def test_many_files_get_a_process_per_core_unless_their_number_is_given(
    digit_paths, monkeypatch, requested, count, expected
):
    monkeypatch.setattr(parallel, "cpu_count", lambda: 3)
    workers = decode_pool.count_workers(requested, count, iter(digit_paths))
    assert workers == expected


def test_large_files_get_a_process_per_core(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "cpu_count", lambda: 2)
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(decode_pool.MIN_BYTES_FOR_ALL_CORES)
    paths = [str(tmp_path / "gone"), str(tmp_path / "sparse")]
    assert decode_pool.count_workers(None, 2, paths) == 2


def lower_limit(name: int, value: int):
    """Sets a limit of this process until the end of a `with` block."""
    soft, hard = resource.getrlimit(name)
    resource.setrlimit(name, (value, hard))
    return contextlib.closing(
        types.SimpleNamespace(close=lambda: resource.setrlimit(name, (soft, hard)))
    )


def test_fewer_processes_are_started_where_descriptors_are_few(digit_paths, capfd):
    expected = pipeline.preprocess_files(digit_paths, "mnist")
    used = len(os.listdir("/proc/self/fd"))
    limit = used + decode_pool.SPARE_DESCRIPTORS + 30
    with (
        lower_limit(resource.RLIMIT_NOFILE, limit),
        decode_pool.open_pool(48) as pool,
    ):
        assert 1 <= pool.num_workers <= 10
        count = pool.num_workers
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
        for file in files:
            os.close(file)
        assert_same(list(pool.imap(map(Source, digit_paths), OPTIONS)), expected)
    assert capfd.readouterr().err == (
        f"warning: only {count} of 48 processes that decode images can be started "
        "(Too many open files)\n"
    )


def test_without_descriptors_for_processes_this_process_decodes(digit_paths, capfd):
    expected = pipeline.preprocess_files(digit_paths, "mnist")
    limit = len(os.listdir("/proc/self/fd")) + 20
    with (
        lower_limit(resource.RLIMIT_NOFILE, limit),
        decode_pool.open_pool(2) as pool,
    ):
        assert_same(list(pool.imap(map(Source, digit_paths), OPTIONS)), expected)
    assert "only 0 of 2 processes" in capfd.readouterr().err

"""Compares the decode pool with pebble's and loky's on folders of images.

Usage: pip install pebble loky; python -m tests.benchmarks.pools FOLDER...

Each run is a process of its own, from the start of the pool to the last image, with one
worker per core. The others receive chunks of 64 files, and `pipeline.preprocess_files`
runs in their processes. By turns, medians.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from cnn import parallel
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import ReadOptions, Source
from tests.conftest import ROOT

OPTIONS = ReadOptions("mnist")

CHUNK_SIZE = 64
ROUNDS = 7


def main() -> None:
    """Prints a row per folder and pool."""
    if sys.argv[1] in POOLS:
        print(json.dumps(time_pool(sys.argv[1], Path(sys.argv[2]))))
        return
    for folder in sys.argv[1:]:
        seconds: dict[str, list[float]] = {name: [] for name in POOLS}
        for _ in range(ROUNDS):
            for name, times in seconds.items():
                times.append(measure(name, folder))
        for name, times in seconds.items():
            ratios = [t / own for t, own in zip(times, seconds["ours"], strict=True)]
            print(
                f"{folder}: {name}: {statistics.median(times):.2f} s, "
                f"{statistics.median(ratios):.2f} times ours",
                flush=True,
            )


def measure(name: str, folder: str) -> float:
    run = [sys.executable, "-m", "tests.benchmarks.pools", name, folder]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def time_pool(name: str, folder: Path) -> float:
    """Returns the seconds until all files of a folder are preprocessed."""
    paths = sorted(map(str, folder.iterdir()))
    start = time.perf_counter()
    count = sum(len(files) for files in POOLS[name](paths))
    assert count == len(paths)
    return time.perf_counter() - start


def read_with_ours(paths: list[str]) -> Iterator[list[pipeline.PreprocessedFile]]:
    from cnn.image_files.decode_pool import open_pool

    with open_pool(parallel.cpu_count()) as pool:
        yield list(pool.imap(map(Source, paths), OPTIONS))


def read_with_pebble(paths: list[str]) -> Iterator[list[pipeline.PreprocessedFile]]:
    import multiprocessing

    import pebble

    context = multiprocessing.get_context("forkserver")
    with pebble.ProcessPool(parallel.cpu_count(), context=context) as pool:
        futures = [
            pool.schedule(preprocess, args=[chunk], timeout=20 * CHUNK_SIZE)
            for chunk in make_chunks(paths)
        ]
        for future in futures:
            yield future.result()


def read_with_loky(paths: list[str]) -> Iterator[list[pipeline.PreprocessedFile]]:
    import loky

    executor = loky.ProcessPoolExecutor(parallel.cpu_count())
    yield from executor.map(preprocess, make_chunks(paths))
    executor.shutdown(kill_workers=True)


def make_chunks(paths: list[str]) -> list[list[str]]:
    return [paths[i : i + CHUNK_SIZE] for i in range(0, len(paths), CHUNK_SIZE)]


def preprocess(paths: list[str]) -> list[pipeline.PreprocessedFile]:
    return pipeline.preprocess_files(paths, "mnist")


POOLS = {
    "ours": read_with_ours,
    "pebble": read_with_pebble,
    "loky": read_with_loky,
}

if __name__ == "__main__":
    main()

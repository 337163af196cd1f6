"""Breaks image files at random, and reads them among whole ones.

Usage: python -m tests.benchmarks.fuzz --count 100000

Prints the number of files per status, of files that killed a process or took 2 s, and
of whole files that were read otherwise beside a broken one. Files that killed a process
or took 2 s are kept in a new folder, whose name is printed.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from cnn.data import datasets
from cnn.image_files import decode_pool
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import ReadOptions, Source
from tests.broken import KINDS, Break, break_file, whole_files

OPTIONS = ReadOptions("mnist")

# Files that are on the disk at a time.
_BATCH_SIZE = 4000
# One file in so many is whole.
_WHOLE_EVERY = 8
_TIMEOUT_SECONDS = 2


def main() -> None:
    """Prints the counts; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    whole = whole_files(datasets.load("mnist", "test").images[:84, ..., 0])
    kept = Path(tempfile.mkdtemp(prefix=f"fuzz-{arguments.seed}-"))
    statuses = Counter()
    num_broken = 0
    num_wrong = 0
    with (
        decode_pool.open_pool(2, timeout=_TIMEOUT_SECONDS) as pool,
        tempfile.TemporaryDirectory() as folder,
    ):
        known = _read_whole(pool, whole, Path(folder))
        while num_broken < arguments.count:
            paths, neighbors = _write_files(rng, whole, Path(folder))
            for i, file in enumerate(pool.imap(map(Source, paths), OPTIONS)):
                if i in neighbors:
                    num_wrong += not _is_same(file, known[neighbors[i]])
                    continue
                num_broken += 1
                is_lost = file.detail.startswith(("killed", "took"))
                statuses[file.detail if is_lost else file.status] += 1
                if is_lost:
                    shutil.copy(paths[i], kept / str(num_broken))
    print(f"{num_broken:,} broken files: {dict(statuses)}")
    print(f"{num_wrong} whole neighbors read otherwise")
    lost = set(statuses) - {"ok", "blank", "unreadable"}
    if lost:
        print(f"the files that were lost are in {kept}")
    else:
        kept.rmdir()
    raise SystemExit(bool(lost or num_wrong))


def _read_whole(
    pool: decode_pool.DecodePool, whole: list[bytes], folder: Path
) -> list[pipeline.PreprocessedFile]:
    paths = [folder / f"whole{i}" for i in range(len(whole))]
    for path, content in zip(paths, whole, strict=True):
        path.write_bytes(content)
    return list(pool.imap(map(Source, map(str, paths)), OPTIONS))


def _write_files(
    rng: np.random.Generator, whole: list[bytes], folder: Path
) -> tuple[list[str], dict[int, int]]:
    """Writes files; returns their paths, and the number of the whole file per index."""
    paths = []
    neighbors = {}
    for i in range(_BATCH_SIZE):
        one, other = rng.integers(len(whole), size=2).tolist()
        content = whole[one]
        if i % _WHOLE_EVERY:
            breaks = [sample_break(rng) for _ in range(rng.integers(1, 4))]
            content = break_file(content, whole[other], breaks)
        else:
            neighbors[i] = one
        paths.append(str(folder / f"{i}.png"))
        Path(paths[-1]).write_bytes(content)
    return paths, neighbors


def sample_break(rng: np.random.Generator) -> Break:
    """Draws a change of a file."""
    return Break(
        str(rng.choice(KINDS)),
        rng.uniform(0, 0.999),
        int(rng.integers(1, 40)),
        int(rng.integers(1, 256)),
    )


def _is_same(one: pipeline.PreprocessedFile, other: pipeline.PreprocessedFile) -> bool:
    is_same = np.array_equal(one.candidates, other.candidates)
    return is_same and one[1:3] == other[1:3]


if __name__ == "__main__":
    main()

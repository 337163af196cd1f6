"""Breaks image files at random, and reads them among whole ones: python -m tests.benchmarks.fuzz --count 100000.

Says what became of them, how many killed a process or took two seconds, and whether any harmed a neighbour.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from cnn.data import datasets
from cnn.inference import decode_pool
from cnn.preprocessing import pipeline
from tests.broken import KINDS, Break, broken, whole_files

# Files that are on the disk at a time; every eighth is whole.
_TOGETHER, _EIGHTH = 4000, 8


def main() -> None:
    """Prints the counts; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    whole = whole_files(datasets.load("mnist", "test").images[:84, ..., 0])
    statuses, wrong = Counter(), 0
    with (
        decode_pool.open_pool(2, timeout=2) as decoders,
        tempfile.TemporaryDirectory() as folder,
    ):
        known = _read_whole(decoders, whole, Path(folder))
        done = 0
        while done < arguments.count:
            paths, neighbours = _written(rng, whole, Path(folder))
            for i, decoded in enumerate(decoders.decode(paths, "mnist")):
                if i in neighbours:
                    wrong += not _same(decoded, known[neighbours[i]])
                    continue
                done += 1
                lost = decoded.detail.startswith(("killed", "took"))
                statuses[decoded.detail if lost else decoded.status] += 1
                if lost:
                    Path(f"/tmp/lost-{arguments.seed}-{done}").write_bytes(
                        Path(paths[i]).read_bytes()
                    )
    print(
        f"{done:,} broken files: {dict(statuses)}; {wrong} whole neighbours read otherwise"
    )
    raise SystemExit(
        wrong > 0 or len(set(statuses) - {"ok", "blank", "unreadable"}) > 0
    )


def _read_whole(
    decoders: decode_pool.DecodePool, whole: list[bytes], folder: Path
) -> list[pipeline.PreprocessedFile]:
    paths = [folder / f"whole{i}" for i in range(len(whole))]
    for path, content in zip(paths, whole, strict=True):
        path.write_bytes(content)
    return list(decoders.decode(map(str, paths), "mnist"))


def _written(
    rng: np.random.Generator, whole: list[bytes], folder: Path
) -> tuple[list[str], dict[int, int]]:
    """Writes files; returns their paths, and which of them are whole, with their number."""
    paths, neighbours = [], {}
    for i in range(_TOGETHER):
        one, other = rng.integers(len(whole), size=2).tolist()
        content = whole[one]
        if i % _EIGHTH:
            breaks = [_drawn(rng) for _ in range(rng.integers(1, 4))]
            content = broken(content, whole[other], breaks)
        else:
            neighbours[i] = one
        paths.append(str(folder / f"{i}.png"))
        Path(paths[-1]).write_bytes(content)
    return paths, neighbours


def _drawn(rng: np.random.Generator) -> Break:
    return Break(
        str(rng.choice(KINDS)),
        rng.uniform(0, 0.999),
        int(rng.integers(1, 40)),
        int(rng.integers(1, 256)),
    )


def _same(one: pipeline.PreprocessedFile, other: pipeline.PreprocessedFile) -> bool:
    return one[1:] == other[1:] and np.array_equal(one.candidates, other.candidates)


if __name__ == "__main__":
    main()

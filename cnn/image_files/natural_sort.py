"""Sorts many file names in natural order in little memory.

A folder may have a million files. A sorted list of their names takes about 100 MB, the
sorted, compressed runs of this module about 10 MB: an external merge sort whose runs
stay in memory. Only this saving justifies the module.
"""

import heapq
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

# Names per sorted run, which are Python strings only while they are sorted.
RUN_LENGTH = 32_768
# Names per compressed block, of which one block per run is held while runs are merged.
BLOCK_LENGTH = 512
# The fastest level of zlib: a higher one saves little on blocks of similar names.
_COMPRESSION_LEVEL = 1
# Names are decoded as UTF-8 in every locale, and keep the bytes that are not.
NAME_ENCODING: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
_NUMBER = re.compile(rb"0*([0-9]+)")


class SortedNames:
    """A compressed collection of names, iterated in natural order.

    Example:
      >>> list(SortedNames(["a10", "a2", "a1/b"]))
      ['a1/b', 'a2', 'a10']
    """

    def __init__(
        self,
        names: Iterable[str],
        run_length: int = RUN_LENGTH,
        block_length: int = BLOCK_LENGTH,
    ) -> None:
        """Sorts and compresses the names.

        Args:
          names: names without NUL characters, in any order, consumed lazily.
          run_length: names per sorted run.
          block_length: names per compressed block.
        """
        remaining = iter(names)
        self._count = 0
        self._runs: list[list[bytes]] = []
        while run := list(itertools.islice(remaining, run_length)):
            run.sort(key=natural_key)
            self._count += len(run)
            self._runs.append(_compress_run(run, block_length))

    def __len__(self) -> int:
        return self._count

    def in_any_order(self) -> Iterator[str]:
        """Yields the names, quicker than in order."""
        return itertools.chain.from_iterable(map(_iterate_run, self._runs))

    def __iter__(self) -> Iterator[str]:
        runs = [_iterate_run(run) for run in self._runs]
        if len(runs) == 1:
            return runs[0]
        return heapq.merge(*runs, key=natural_key)


def natural_key(name: str) -> tuple[bytes, str]:
    """Returns a sorting key that compares digits by their value, so that 2 < 10.

    Example:
      >>> sorted(["a10", "a02", "a2", "a1/b", "a"], key=natural_key)
      ['a', 'a1/b', 'a02', 'a2', 'a10']
    """
    encoded = name.encode(**NAME_ENCODING)
    return _NUMBER.sub(_encode_number, encoded), name


def _encode_number(match: re.Match[bytes]) -> bytes:
    """Encodes a number below any text (NUL), and below any number of more digits."""
    digits = match[1]
    length = len(digits).to_bytes(2, "big")
    return b"\0" + length + digits


def _compress_run(names: list[str], block_length: int) -> list[bytes]:
    blocks = []
    for start in range(0, len(names), block_length):
        end = start + block_length
        blocks.append(_compress(names[start:end]))
    return blocks


def _iterate_run(blocks: list[bytes]) -> Iterator[str]:
    names_per_block = map(_decompress, blocks)
    return itertools.chain.from_iterable(names_per_block)


def _compress(names: list[str]) -> bytes:
    joined = "\0".join(names)
    return zlib.compress(joined.encode(**NAME_ENCODING), _COMPRESSION_LEVEL)


def _decompress(block: bytes) -> list[str]:
    joined = zlib.decompress(block)
    return joined.decode(**NAME_ENCODING).split("\0")

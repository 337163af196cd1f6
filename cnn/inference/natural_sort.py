"""Many names in natural order, in little memory: sorted runs, deflated block by block, merged when asked for.

A million names of scans take some ten megabytes. All that is held of them as Python strings is one run while
it is sorted, and a block of each run while they are merged.
"""

import heapq
import itertools
import os
import re
import zlib
from collections.abc import Iterable, Iterator

# Names that are sorted at once, and those that are deflated together.
_RUN_LENGTH, _BLOCK_LENGTH = 32_768, 512
_NUMBER = re.compile(rb"0*([0-9]+)")


class SortedNames:
    """Names, none of which has a NUL in it, in natural order.

    Example:
      >>> list(Names(["a10", "a2", "a1/b"]))
      ['a1/b', 'a2', 'a10']
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Takes the names one by one, in any order."""
        left = iter(names)
        self._count = 0
        self._runs: list[list[bytes]] = []
        while run := sorted(itertools.islice(left, _RUN_LENGTH), key=natural_key):
            self._count += len(run)
            self._runs.append(
                [
                    _compress(run[start : start + _BLOCK_LENGTH])
                    for start in range(0, len(run), _BLOCK_LENGTH)
                ]
            )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        runs = [
            itertools.chain.from_iterable(map(_decompress, run)) for run in self._runs
        ]
        return runs[0] if len(runs) == 1 else heapq.merge(*runs, key=natural_key)


def natural_key(name: str) -> tuple[bytes, str]:
    """Makes a sorting key that takes runs of digits as numbers: 2 before 10.

    Example:
      >>> sorted(["a10", "a02", "a2", "a1/b", "a"], key=natural)
      ['a', 'a1/b', 'a02', 'a2', 'a10']
    """
    # A number is less than any text; one with more digits is greater.
    return _NUMBER.sub(
        lambda m: b"\0" + len(m[1]).to_bytes(2, "big") + m[1], os.fsencode(name)
    ), name


def _compress(names: list[str]) -> bytes:
    return zlib.compress(os.fsencode("\0".join(names)), 1)


def _decompress(block: bytes) -> list[str]:
    return os.fsdecode(zlib.decompress(block)).split("\0")

"""Takes decoded sources in batches that fit the memory."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from cnn.image_files.decode_pool import DecodePool
from cnn.preprocessing.pipeline import PreprocessedFile
from cnn.preprocessing.source import ReadOptions, Source

# Pieces of numbers that are held in memory at a time, of 3 KiB each. A page has
# thousands.
_MAX_PIECES = 8192

Item = TypeVar("Item")


def decode_in_batches(
    sources: Iterable[tuple[Item, Source]],
    pool: DecodePool,
    options: ReadOptions,
    batch_size: int,
) -> Iterator[list[tuple[Item, Source, PreprocessedFile]]]:
    """Decodes sources in order, a few ahead of the consumer.

    Args:
      sources: each with what belongs to it, consumed lazily.
      pool: processes that decode.
      options: how the sources are preprocessed.
      batch_size: largest number of sources per batch.

    Yields:
      Batches of the sources, with what belongs to them and the result.
    """
    # Sources that the pool has taken, and that are in no batch yet.
    pending: deque[tuple[Item, Source]] = deque()

    def take_sources() -> Iterator[Source]:
        for item in sources:
            pending.append(item)
            yield item[1]

    decoded = pool.imap(take_sources(), options)
    while files := _take_batch(decoded, batch_size):
        yield [(*pending.popleft(), file) for file in files]


def _take_batch(
    decoded: Iterator[PreprocessedFile], size: int
) -> list[PreprocessedFile]:
    """Takes files until there are `size`, or many pieces."""
    batch = []
    num_pieces = 0
    for file in itertools.islice(decoded, size):
        batch.append(file)
        for line in file.lines:
            num_pieces += sum(len(lattice.starts) for lattice in line.lattices)
        if num_pieces >= _MAX_PIECES:
            break
    return batch

"""Reads blocks of sources in the actors of a Ray cluster."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cnn import parallel
from cnn.config import InferConfig
from cnn.image_files.decode_pool import open_pool
from cnn.image_files.label_table import FindLabel
from cnn.image_files.listing import InputFile, locate
from cnn.image_files.page_count import Sources
from cnn.inference.schema import Row, Schema
from cnn.inference.source_predictions import ReadSettings, predict_in_batches
from cnn.page_region import Region
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.classifier import Classifier

# Sources that are read together.
_BATCH_SIZE = 512


class SourcePart(NamedTuple):
    """What is read at a time, as it is sent to an actor.

    Attributes:
      name: path of the file relative to the input.
      page: as for `Source`, like the others.
      region: the part of the page.
      failure: why it cannot be read.
    """

    name: str
    page: int | None
    region: Region | None
    failure: str


Block = list[SourcePart]


def make_blocks(sources: Sources, block_size: int) -> Iterator[Block]:
    """Yields blocks of sources."""
    remaining = iter(sources)
    while items := list(itertools.islice(remaining, block_size)):
        yield [
            SourcePart(file.name, source.page, source.region, source.failure)
            for file, source in items
        ]


class RayReader:
    """Reads blocks of sources, with a classifier and processes of its own."""

    def __init__(
        self,
        folder: str,
        classifier: "Classifier",
        schema: Schema,
        find_label: FindLabel | None,
        config: InferConfig,
    ) -> None:
        """Starts the processes that decode.

        Args:
          folder: path or URI that the names of the files are relative to.
          classifier: reads.
          schema: columns of the output.
          find_label: finds labels, or None without any.
          config: settings of the run.
        """
        workers = config.workers
        if workers is None:
            workers = _count_assigned_cpus()
        self._folder = folder
        self._classifier = classifier
        self._schema = schema
        self._find_label = find_label
        self._settings = ReadSettings.of(config)
        self._stack = contextlib.ExitStack()
        pool = open_pool(workers, config.decode_timeout)
        self._pool = self._stack.enter_context(pool)

    def read(self, block: Block) -> list[Row]:
        """Returns the rows of a block."""
        batches = predict_in_batches(
            self._locate_sources(block),
            self._pool,
            self._classifier,
            self._find_label,
            self._settings,
            _BATCH_SIZE,
        )
        return [
            row
            for result in itertools.chain.from_iterable(batches)
            for row in result.make_rows(self._schema)
        ]

    def _locate_sources(self, block: Block) -> Iterator[tuple[InputFile, Source]]:
        files = locate(self._folder, (part.name for part in block))
        for file, part in zip(files, block, strict=True):
            yield file, Source(file.path, part.page, part.region, part.failure)


def _count_assigned_cpus() -> int:
    """Returns the number of CPUs that Ray has assigned to this actor."""
    import ray

    assigned = ray.get_runtime_context().get_assigned_resources()
    num_cpus = int(assigned.get("CPU", 1))
    return max(1, min(num_cpus, parallel.cpu_count()))

"""Reads blocks of sources in the actors of a Ray cluster."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn import parallel
from cnn.config import InferConfig
from cnn.image_files.decode_pool import open_pool
from cnn.image_files.label_table import FindLabel
from cnn.image_files.listing import InputFile, locate
from cnn.image_files.natural_sort import NAME_ENCODING
from cnn.image_files.page_count import Sources
from cnn.inference.row_formats import CsvFormat
from cnn.inference.schema import Schema
from cnn.inference.source_predictions import ReadSettings, predict_in_batches
from cnn.page_region import Region
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.classifier import Classifier

# Sources that are read together.
_BATCH_SIZE = 512


def make_source_blocks(sources: Sources, block_size: int) -> list[Any]:
    """Returns Arrow tables of sources.

    The columns are the name of the file as bytes, the page (0 for None), the region as
    text, and the failure.
    """
    import pyarrow as pa

    remaining = iter(sources)
    blocks = []
    while items := list(itertools.islice(remaining, block_size)):
        columns = {
            "name": [file.name.encode(**NAME_ENCODING) for file, _ in items],
            "page": [source.page or 0 for _, source in items],
            "region": [_encode_region(source.region) for _, source in items],
            "failure": [source.failure for _, source in items],
        }
        blocks.append(pa.table(columns))
    return blocks


def _encode_region(region: Region | None) -> str:
    """Returns a region as text, with all digits of its edges."""
    return "" if region is None else ",".join([*map(repr, region[:4]), region.name])


def _decode_region(text: str) -> Region | None:
    if not text:
        return None
    left, top, right, bottom, name = text.split(",", maxsplit=4)
    return Region(float(left), float(top), float(right), float(bottom), name)


class RayReader:
    """Makes rows of sources, as lines of a CSV."""

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
        self._row_format = CsvFormat(schema)
        self._find_label = find_label
        self._settings = ReadSettings.of(config)
        self._stack = contextlib.ExitStack()
        pool = open_pool(workers, config.decode_timeout)
        self._pool = self._stack.enter_context(pool)

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns an array of `bytes` in column `line`, one per row."""
        batches = predict_in_batches(
            self._locate_sources(block),
            self._pool,
            self._classifier,
            self._find_label,
            self._settings,
            _BATCH_SIZE,
        )
        rows = [
            row
            for result in itertools.chain.from_iterable(batches)
            for row in result.make_rows(self._schema)
        ]
        lines = [self._row_format.encode([row]) for row in rows]
        return {"line": np.array(lines, object)}

    def _locate_sources(
        self, block: dict[str, np.ndarray]
    ) -> Iterator[tuple[InputFile, Source]]:
        names = (name.decode(**NAME_ENCODING) for name in block["name"])
        parts = zip(block["page"], block["region"], block["failure"], strict=True)
        files = locate(self._folder, names)
        for file, (page, region, failure) in zip(files, parts, strict=True):
            source = Source(
                file.path, int(page) or None, _decode_region(str(region)), str(failure)
            )
            yield file, source


def _count_assigned_cpus() -> int:
    """Returns the number of CPUs that Ray has assigned to this actor."""
    import ray

    assigned = ray.get_runtime_context().get_assigned_resources()
    num_cpus = int(assigned.get("CPU", 1))
    return max(1, min(num_cpus, parallel.cpu_count()))

"""Inference on a Ray cluster: actors of Ray Data read blocks of file names.

Each actor has a classifier and a decode pool, as the local engine has. Ray hands the
block of a lost machine to another one, which writes it under the same name, so that
no row is there twice. See https://docs.ray.io/en/latest/data/data.html.
"""

import contextlib
import itertools
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn import parallel
from cnn.config import InferConfig
from cnn.inference.decode_pool import open_pool
from cnn.inference.labels import find_labels
from cnn.inference.listing import (
    InferError,
    InputFiles,
    list_inputs,
    locate,
)
from cnn.inference.natural_sort import NAME_ENCODING
from cnn.inference.output_checks import own_files
from cnn.inference.ray_cluster import ClusterError, connect_to_cluster
from cnn.inference.ray_sink import CORRECT, LABELED, make_sink
from cnn.inference.row_formats import ROW_FORMATS, CsvFormat
from cnn.inference.row_writer import lock_output
from cnn.inference.run_statistics import STATUSES, summary_line
from cnn.inference.schema import Schema
from cnn.preprocessing.source import ReadOptions, Source
from cnn.user_path import as_uri, is_uri

if TYPE_CHECKING:
    from cnn.classifier import Classifier

# File names per block, and therefore rows per output file.
_BLOCK_SIZE = 2048


def predict_with_ray(config: InferConfig) -> bool:
    """Predicts the class of every image in a folder with the machines of a cluster.

    Writes one file of rows per block of file names.

    Args:
      config: settings of `bin/infer`. `output` is a folder or a URI.

    Returns:
      Whether every file could be decoded.

    Raises:
      cnn.Error: an input or output cannot be used, or Ray fails. The message is one
        line.
    """
    start = monotonic()
    assert config.output is not None
    # Actors run in other folders, and do not understand relative paths.
    output = config.output if is_uri(config.output) else config.output.absolute()
    with _reserve_output(output):
        counts = _run_on_cluster(config, output)
    _print_summary(counts, monotonic() - start, as_uri(output))
    return counts["unreadable"] == 0


@contextlib.contextmanager
def _reserve_output(output: Path) -> Iterator[None]:
    """Keeps other runs from writing a local folder, which must be new or empty."""
    if is_uri(output):
        yield
        return
    _check_output_is_new(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with lock_output(output):
        yield


def _run_on_cluster(config: InferConfig, output: Path) -> Counter[str]:
    with connect_to_cluster(config.ray_address) as ray:
        try:
            return _predict_and_write(ray, config, output)
        except ray.exceptions.RayError as error:
            last_line = str(error).strip().splitlines()[-1]
            raise ClusterError(f"--engine ray: {last_line}") from error


def _check_output_is_new(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InferError(
            f"{output}: is there already; give an --output that is new, or an empty "
            "folder"
        )


def _print_summary(counts: Counter[str], seconds: float, output: str) -> None:
    num_files = sum(counts[status] for status in STATUSES)
    summary = summary_line(counts, counts[CORRECT], counts[LABELED])
    speed = f"{seconds:.1f} s, {num_files / seconds:,.0f} images/s"
    print(f"{summary}; {speed}; predictions in {output}", file=sys.stderr)


def _predict_and_write(ray: Any, config: InferConfig, output: Path) -> Counter[str]:
    """Writes the rows of all files, and returns their counts."""
    from cnn.classifier import Classifier

    files = list_inputs(config.inputs, config.recursive, own_files(config))
    classifier = Classifier.load(config.model, config.unsure_below)
    find_label = find_labels(files, config.labels, classifier.class_names)
    schema = Schema(
        class_names=classifier.class_names,
        has_labels=find_label is not None,
        top_k=config.top_k,
        has_probabilities=config.probabilities,
    )
    row_format = ROW_FORMATS[config.format or "csv"](schema)
    sink = make_sink(as_uri(output), row_format)

    # The class is sent to the actors, with these variables.
    folder = files.top if is_uri(files.top) else os.path.abspath(files.top)

    class Reader(_Actor):
        """Holds the model, so that no machine that may be lost has to keep it."""

        def __init__(self) -> None:
            super().__init__(
                folder=folder,
                classifier=classifier,
                schema=schema,
                find_label=find_label,
                workers=config.workers,
                decode_timeout=config.decode_timeout,
            )

    names = ray.data.from_arrow(_make_name_blocks(files))
    resources = _actor_resources(ray, config.workers)
    lines = names.map_batches(Reader, batch_size=None, **resources)
    lines.write_datasink(sink, ray_remote_args={"num_cpus": 0})
    return sink.counts


def _make_name_blocks(files: InputFiles) -> list[Any]:
    """Returns Arrow tables with a column of file names as bytes."""
    import pyarrow as pa

    names = (file.name.encode(**NAME_ENCODING) for file in files)
    blocks = []
    while block := list(itertools.islice(names, _BLOCK_SIZE)):
        blocks.append(pa.table({"name": block}))
    return blocks


def _actor_resources(ray: Any, workers: int | None) -> dict[str, Any]:
    """Returns the number of actors, and the CPUs and GPUs of each.

    Args:
      ray: the module, connected to a cluster.
      workers: decode processes per actor, or None for all CPUs of a GPU's share.
    """
    cluster = ray.cluster_resources()
    num_gpus = int(cluster.get("GPU", 0))
    num_cpus = int(cluster.get("CPU", 1))
    if workers is not None:
        cpus_per_actor = min(workers, num_cpus)
    elif num_gpus:
        cpus_per_actor = num_cpus // num_gpus
    else:
        cpus_per_actor = 1
    cpus_per_actor = max(1, cpus_per_actor)
    num_actors = num_gpus or max(1, num_cpus // cpus_per_actor)
    return {
        "num_cpus": cpus_per_actor,
        "num_gpus": 1 if num_gpus else 0,
        "concurrency": (1, num_actors),
    }


class _Actor:
    """Makes rows of file names, as lines of a CSV."""

    def __init__(
        self,
        folder: str,
        classifier: "Classifier",
        schema: Schema,
        find_label: Callable[[str], str] | None,
        workers: int | None,
        decode_timeout: float,
    ) -> None:
        if workers is None:
            workers = _count_assigned_cpus()
        self._folder = folder
        self._classifier = classifier
        self._schema = schema
        self._row_format = CsvFormat(schema)
        self._find_label = find_label
        self._stack = contextlib.ExitStack()
        self._pool = self._stack.enter_context(open_pool(workers, decode_timeout))

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns an array of `bytes` in column `line` for those in column `name`."""
        names = (name.decode(**NAME_ENCODING) for name in batch["name"])
        files = list(locate(self._folder, names))
        paths = [file.path for file in files]
        options = ReadOptions(self._classifier.preprocessing)
        decoded = list(self._pool.imap(map(Source, paths), options))
        predictions = self._classifier.classify(paths, decoded)
        lines = []
        for file, prediction in zip(files, predictions, strict=True):
            label = self._find_label(file.name) if self._find_label else ""
            row = self._schema.make_row(file, prediction, label)
            lines.append(self._row_format.encode([row]))
        return {"line": np.array(lines, object)}


def _count_assigned_cpus() -> int:
    """Returns the number of CPUs that Ray has assigned to this actor."""
    import ray

    assigned = ray.get_runtime_context().get_assigned_resources()
    num_cpus = int(assigned.get("CPU", 1))
    return max(1, min(num_cpus, parallel.cpu_count()))

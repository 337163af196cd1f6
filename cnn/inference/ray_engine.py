"""A folder read by many machines: Ray Data hands names to actors, each of which reads as one machine does.

An actor has a classifier, compiled once, and processes that decode (`cnn.decoding`). What a lost machine had
in hand Ray gives to another; a block of rows is written under the same name again, so that no row is there
twice. Blocks, actors, retries: https://docs.ray.io/en/latest/data/data.html.
"""

import contextlib
import csv
import dataclasses
import itertools
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

import cnn
from cnn import parallel
from cnn.config import InferConfig, as_uri
from cnn.errors import Error
from cnn.inference import decode_pool, labels, listing, report, row_formats, schema
from cnn.inference.listing import InferError, InputFile

# Files whose names an actor is given at a time, and whose rows are written together.
_BLOCK_SIZE = 2048


class ClusterError(Error):
    """Ray is not there, or could not do the work."""


def predict_folder(config: InferConfig) -> bool:
    """Reads a folder with the machines of a Ray cluster; a file of rows for each block of names.

    Args:
      config: the settings, of which `output` is a folder.

    Returns:
      Whether every file could be read.

    Raises:
      cnn.Error: in one line, why the work cannot be done.
    """
    start = monotonic()
    config = _resolve_paths(config)
    ray = _connect(config.ray_address)
    try:
        counts = _predict_and_write(ray, config)
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"--engine ray: {str(error).strip().splitlines()[-1]}"
        ) from error
    finally:
        ray.shutdown()
    seconds = monotonic() - start
    total = sum(counts[status] for status in report.STATUSES)
    text = report.summary_line(counts, counts["right"], counts["labelled"])
    where = f"predictions in {_output_uri(config)}"
    print(
        f"{text}; {seconds:.1f} s, {total / seconds:,.0f} images/s; {where}",
        file=sys.stderr,
    )
    return not counts["unreadable"]


def _resolve_paths(config: InferConfig) -> InferConfig:
    """Names folders so that other processes find them, and has none written to that holds anything."""
    assert config.output is not None
    local = {name: getattr(config, name) for name in ("input", "output")}
    local = {
        name: path.absolute()
        for name, path in local.items()
        if "://" not in as_uri(path)
    }
    output = local.get("output")
    if (
        output is not None
        and output.exists()
        and (not output.is_dir() or any(output.iterdir()))
    ):
        raise InferError(
            f"{config.output}: is there already; give an --output that is new, or an empty folder"
        )
    return dataclasses.replace(config, **local)


def _connect(address: str | None) -> Any:
    """Joins the cluster at an address, or makes one of this machine."""
    os.environ.setdefault(
        "RAY_USAGE_STATS_ENABLED", "0"
    )  # Nothing is told to anyone unasked.
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"--engine ray: {error.name} is not installed for {sys.executable}; run: pip install 'cnn[ray]', "
            "in a clone pip install -e '.[ray]'"
        ) from error
    package = str(Path(cnn.__file__).parent)
    # Machines that have what the package needs do not need the package.
    about: dict[str, Any] = {
        "py_modules": [package],
        "excludes": ["data/mnist", "**/__pycache__"],
    }
    try:
        ray.init(
            address or "local",
            runtime_env=about,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"--ray-address {address}: {str(error).splitlines()[0]}"
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _predict_and_write(ray: Any, config: InferConfig) -> Counter:
    import pyarrow as pa

    from cnn.classifier import Classifier

    outputs = (config.output, config.plot, config.debug_dir)
    exclude = (*outputs, config.labels, config.model)
    files = listing.list_inputs(config.input, config.recursive, exclude)
    classifier = Classifier.load(config.model)
    if config.unsure_below is not None:
        classifier.unsure_below = config.unsure_below
    label_of = labels.find_labels(files, config.labels, classifier.class_names)
    columns, _ = schema.make_row_formatter(
        config, classifier.class_names, labelled=label_of is not None
    )
    names = (os.fsencode(file.name) for file in files)
    blocks = [
        pa.table({"name": block})
        for block in iter(lambda: list(itertools.islice(names, _BLOCK_SIZE)), [])
    ]
    sink = _make_sink(config, columns)
    top, options = files.top, _actor_resources(ray, config.workers)

    class Reader(_Actor):
        """Has the model within it, so that no machine that may be lost has to keep it."""

        def __init__(self) -> None:
            super().__init__(config, top, label_of, classifier)

    read = ray.data.from_arrow(blocks).map_batches(Reader, batch_size=None, **options)
    read.write_datasink(sink, ray_remote_args={"num_cpus": 0})
    return sink.counts


def _actor_resources(ray: Any, workers: int | None) -> dict[str, Any]:
    """Says how many actors there are, and what each takes of its machine."""
    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0))
    most = int(resources.get("CPU", 1))
    cpus = max(
        1, min(workers, most) if workers is not None else most // gpus if gpus else 1
    )
    actors = gpus or max(1, most // cpus)
    return {"num_cpus": cpus, "num_gpus": 1 if gpus else 0, "concurrency": (1, actors)}


class _Actor:
    """What an actor does: names in, rows out."""

    def __init__(
        self,
        config: InferConfig,
        top: str,
        label_of: Callable[[str], str] | None,
        classifier: Any,
    ) -> None:
        import ray

        self._top, self._label_of = top, label_of or (lambda _: "")
        workers = config.workers if config.workers is not None else _assigned_cpus(ray)
        self._kept = contextlib.ExitStack()
        self._decoders = self._kept.enter_context(
            decode_pool.open_pool(workers, config.decode_timeout)
        )
        self._classifier = classifier
        _, self._row = schema.make_row_formatter(
            config, self._classifier.class_names, labelled=label_of is not None
        )

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        files = list(listing.locate(self._top, map(os.fsdecode, batch["name"])))
        paths = [file.path for file in files]
        decoded = list(self._decoders.imap(paths, self._classifier.preprocessing))
        readings = self._classifier.classify(paths, decoded)
        lines = [
            self._line(file, reading)
            for file, reading in zip(files, readings, strict=True)
        ]
        return {"line": np.array(lines, object)}

    def _line(self, file: InputFile, reading: Any) -> bytes:
        row = self._row(file, reading, self._label_of(file.name))
        return row_formats.csv_line(row).encode(**row_formats.ENCODING)


def _assigned_cpus(ray: Any) -> int:
    """Returns how many processors this actor was promised."""
    promised = ray.get_runtime_context().get_assigned_resources().get("CPU", 1)
    return max(1, min(int(promised), parallel.cpu_count()))


def _make_sink(config: InferConfig, columns: row_formats.Schema) -> Any:
    """Makes what Ray writes blocks with: a file for each, whose rows it counts by status."""
    from ray.data.datasource import BlockBasedFileDatasink

    kind = config.format or "csv"

    class Sink(BlockBasedFileDatasink):
        def __init__(self) -> None:
            super().__init__(_output_uri(config), file_format=kind)
            self.counts: Counter = Counter()

        def write(self, blocks: Iterable[Any], ctx: Any) -> Any:
            blocks = list(blocks)
            super().write(blocks, ctx)
            return _count_statuses(
                columns,
                (
                    row
                    for block in blocks
                    for row in _parse_rows(block["line"].to_pylist())
                ),
            )

        def write_block_to_file(self, block: Any, file: Any) -> None:
            lines = block.to_arrow()["line"].to_pylist()
            if kind == "parquet":
                row_formats.write_parquet(_parse_rows(lines), columns, file)
            elif kind == "jsonl":
                file.writelines(
                    row_formats.json_line(columns, row).encode()
                    for row in _parse_rows(lines)
                )
            else:
                header = row_formats.csv_line(columns.names).encode(
                    **row_formats.ENCODING
                )
                file.writelines([header, *lines])

        def on_write_complete(self, write_result: Any) -> None:
            super().on_write_complete(write_result)
            self.counts = sum(filter(None, write_result.write_returns), Counter())

    return Sink()


def _output_uri(config: InferConfig) -> str:
    assert config.output is not None
    return as_uri(config.output)


def _parse_rows(lines: Iterable[bytes]) -> Iterable[list[str]]:
    return csv.reader(
        (line.decode(**row_formats.ENCODING) for line in lines), strict=True
    )


def _count_statuses(columns: row_formats.Schema, found: Iterable[list[str]]) -> Counter:
    counts: Counter = Counter()
    for cells in found:
        row = dict(zip(columns.names, cells, strict=True))
        counts[row["status"]] += 1
        if row.get("label") and row["status"] != "unreadable":
            counts["labelled"] += 1
            counts["right"] += row["label"] == row["prediction"]
    return counts

"""A folder of images into rows, in natural order, batch by batch; whatever a file is, it has a row."""

import contextlib
import itertools
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from tqdm import tqdm

from cnn.config import InferConfig, as_uri
from cnn.inference import decode_pool, row_formats, row_writer, schema
from cnn.inference.labels import find_labels
from cnn.inference.listing import (
    FORMATS,
    InferError,
    InputFile,
    InputFiles,
    list_inputs,
)
from cnn.inference.report import (
    Call,
    RunStatistics,
    plot_process,
    save_report_plot,
    save_visualization,
    summary_line,
)


def predict_folder(config: InferConfig) -> bool:
    """Reads a folder, writes the CSV and draws the plot.

    Args:
      config: the settings.

    Returns:
      Whether every file could be read.

    Raises:
      cnn.Error: in one line, why the work cannot be done.
    """
    start = monotonic()
    _check_outputs(config)
    with contextlib.ExitStack() as stack:
        decoders = stack.enter_context(
            decode_pool.open_pool(config.workers, config.decode_timeout)
        )
        call = stack.enter_context(plot_process()) if _plot_path(config) else None
        outputs = (config.output, config.plot, config.debug_dir)
        exclude = (*outputs, config.labels, config.model)
        files = list_inputs(config.input, config.recursive, exclude)
        decoders.scale_up(len(files), (file.path for file in files))
        from cnn.classifier import Classifier  # JAX, imported while the decoders start.

        classifier = Classifier.load(config.model)
        if config.unsure_below is not None:
            classifier.unsure_below = config.unsure_below
        tally = _predict_and_write(config, files, classifier, decoders)
        _report(config, tally, classifier, monotonic() - start, call)
    return not tally.statuses["unreadable"]


def _predict_and_write(
    config: InferConfig,
    files: InputFiles,
    classifier: Any,
    decoders: decode_pool.DecodePool,
) -> RunStatistics:
    """Reads the files, and writes their rows."""
    tally = RunStatistics(classifier.class_names)
    label_of = find_labels(files, config.labels, classifier.class_names)
    columns, row = schema.make_row_formatter(
        config, classifier.class_names, labelled=label_of is not None
    )
    label_of = label_of or (lambda _: "")
    kind, left = row_formats.infer_format(config.output, config.format), iter(files)
    done = (
        _count_resumed_rows(config, columns, kind, left, tally) if config.resume else 0
    )
    with row_writer.open_writer(config.output, columns, kind, config.resume) as write:
        readings = _predict_batches(left, classifier, decoders, config.rows_per_write)
        for batch in _with_progress(readings, done, len(files)):
            labels = [label_of(file.name) for file, _ in batch]
            write(
                [
                    row(file, reading, label)
                    for (file, reading), label in zip(batch, labels, strict=True)
                ]
            )
            for (file, reading), label in zip(batch, labels, strict=True):
                if config.debug_dir:
                    save_visualization(
                        file, reading, config.debug_dir, classifier.preprocessing
                    )
                tally.add(file, reading, label)
    return tally


def _count_resumed_rows(
    config: InferConfig,
    columns: row_formats.Schema,
    kind: row_formats.Format,
    left: Iterator[InputFile],
    tally: RunStatistics,
) -> int:
    """Counts the rows that a stopped run has left, which must be of the first files, and takes these."""
    from cnn.classifier import Prediction

    assert config.output is not None
    done = 0
    for row in row_writer.read_partial_rows(config.output, columns, kind):
        file = next(left, None)
        if file is None or row["path"] != file.name:
            raise InferError(
                f"{row_writer.partial_path(config.output)}: its row {done + 1:,} is of {row['path']}, where the "
                f"folder has {file.name if file else 'nothing'} now; leave out --resume to begin anew"
            )
        confidence = float(row["confidence"] or 0)
        reading = Prediction(
            file.path, row["prediction"], confidence, row["status"], row["detail"]
        )
        tally.add(file, reading, row.get("label", ""))
        done += 1
    return done


def _predict_batches(
    left: Iterator[InputFile],
    classifier: Any,
    decoders: decode_pool.DecodePool,
    batch_size: int,
) -> Iterator[list[tuple[InputFile, Any]]]:
    """Yields the files with what was read in them, a batch at a time."""
    ahead: deque[InputFile] = (
        deque()
    )  # Those that decoding has asked for, and which are not read yet.

    def paths() -> Iterator[str]:
        for file in left:
            ahead.append(file)
            yield file.path

    decoded = decoders.imap(paths(), classifier.preprocessing)
    while pictures := list(itertools.islice(decoded, batch_size)):
        batch = [ahead.popleft() for _ in pictures]
        yield list(
            zip(
                batch,
                classifier.classify([f.path for f in batch], pictures),
                strict=True,
            )
        )


def _with_progress(batches: Iterable[list], done: int, total: int) -> Iterator[list]:
    """Shows how far the batches are, at once in a terminal, elsewhere only if it takes long."""
    patience = 0.1 if sys.stderr.isatty() else 30
    with tqdm(
        **{
            "total": total,
            "initial": done,
            "desc": "reading",
            "unit": " images",
            "leave": False,
        },
        **{"mininterval": patience, "delay": patience, "smoothing": 0.05},
    ) as progress:
        for batch in batches:
            yield batch
            progress.update(len(batch))


def _check_outputs(config: InferConfig) -> None:
    """Fails before the work what would fail after it, or would write over what is read."""
    if "://" in as_uri(config.input):
        raise InferError(
            f"{as_uri(config.input)}: is not of this machine; give --engine ray, too"
        )
    if config.debug_dir is not None:
        _check_show(config)
    if row_formats.infer_format(config.output, config.format) == "parquet":
        _check_parquet(config)
    outputs = {"--output": config.output, "--plot": _plot_path(config)}
    taken = {
        os.path.realpath(p): f
        for f, p in (("--model", config.model), ("--labels", config.labels))
        if p
    }
    taken[os.path.realpath(config.input)] = "--input"
    for flag, path in outputs.items():
        if path is None:
            continue
        folder = path.absolute().parent
        if path.is_dir():
            raise InferError(f"{path}: is a folder; {flag} needs the name of a file")
        if not folder.is_dir():
            raise InferError(
                f"{path.parent}: no such folder; make it, or give another {flag}"
            )
        if not path.exists() and not os.access(folder, os.W_OK):
            raise InferError(
                f"{path.parent}: no permission to write there; give another {flag}"
            )
        if os.path.realpath(path) in taken:
            raise InferError(
                f"{path}: is also {taken[os.path.realpath(path)]}; give another {flag}"
            )
        taken[os.path.realpath(path)] = flag


def _check_parquet(config: InferConfig) -> None:
    if config.output is None or row_writer.is_stream(config.output):
        raise InferError(
            "--format parquet: is written to a regular file only; name one with --output"
        )


def _check_show(config: InferConfig) -> None:
    assert config.debug_dir is not None
    if os.path.realpath(config.debug_dir) == os.path.realpath(config.input):
        raise InferError(
            f"{config.debug_dir}: is also --input; give another --debug-dir"
        )
    try:
        config.debug_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InferError(
            f"{config.debug_dir}: no folder, and none can be made: {error.strerror}"
        ) from error


def _plot_path(config: InferConfig) -> Path | None:
    return None if str(config.plot) == "none" else config.plot


def _report(
    config: InferConfig,
    tally: RunStatistics,
    classifier: Any,
    seconds: float,
    call: Call | None,
) -> None:
    """Draws the plot, and says on stderr what was done and where it is."""
    total = sum(tally.statuses.values())
    text = summary_line(tally.statuses, tally.right, tally.labelled)
    plot = _plot_path(config)
    if plot is not None and call is not None:
        save_report_plot(tally, text, classifier, plot, call)
    if tally.statuses["unreadable"] == total:
        print(
            f"{config.input}: no image among its files; expected {FORMATS}",
            file=sys.stderr,
        )
    where = [f"predictions in {config.output}"] * (config.output is not None)
    where += [f"plot in {plot}"] * (plot is not None)
    speed = f"{seconds:.1f} s, {total / seconds:,.0f} images/s"
    print("; ".join([text, speed, *where]), file=sys.stderr)

"""Inference on this machine: list → decode → classify → row → write.

Rows are in natural order of the file names. Every file has a row, whatever it holds.
"""

import contextlib
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from cnn.config import InferConfig
from cnn.inference.decode_pool import DecodePool, count_workers, open_pool
from cnn.inference.labels import find_labels
from cnn.inference.listing import (
    FORMATS,
    InferError,
    InputFile,
    InputFiles,
    describe_inputs,
    list_inputs,
)
from cnn.inference.output_checks import check_outputs, own_files, plot_path
from cnn.inference.plot_process import plot_process
from cnn.inference.report import save_report_plot, save_visualization
from cnn.inference.row_formats import RowFormat, infer_format
from cnn.inference.row_writer import (
    lock_output,
    open_writer,
    partial_path,
    read_partial_rows,
)
from cnn.inference.run_statistics import RunStatistics
from cnn.inference.schema import Schema
from cnn.preprocessing.source import ReadOptions, Source
from cnn.progress_bar import tqdm

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction

_MIN_ROWS_PER_WRITE = 512

# Seconds between updates of the progress bar, and before the first one. A log shows
# progress of long runs only.
_TERMINAL_PROGRESS_SECONDS = 0.1
_LOG_PROGRESS_SECONDS = 30.0


class LabeledPrediction(NamedTuple):
    """Prediction of one file, and its label.

    Attributes:
      file: the file.
      prediction: result of the classifier.
      label: name of the true class, empty if it is unknown.
    """

    file: InputFile
    prediction: "Prediction"
    label: str


def predict_folder(config: InferConfig) -> bool:
    """Predicts the class of every image in a folder, and writes rows and a plot.

    Args:
      config: settings of `bin/infer`.

    Returns:
      Whether every file could be decoded.

    Raises:
      cnn.Error: an input or output cannot be used. The message is one line.
    """
    start = monotonic()
    check_outputs(config)
    plot = plot_path(config.plot)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock_output(config.output))
        if plot is not None:
            call_plot = stack.enter_context(plot_process())
        files = list_inputs(config.inputs, config.recursive, own_files(config))
        paths = (file.path for file in files)
        workers = count_workers(config.workers, len(files), paths)
        pool = stack.enter_context(open_pool(workers, config.decode_timeout))
        # JAX takes a second to import, while the processes of the pool start.
        from cnn.classifier import Classifier

        classifier = Classifier.load(config.model, config.unsure_below)
        statistics = _predict_and_write(config, files, classifier, pool)
        if plot is not None:
            title = statistics.summary
            is_drawn = save_report_plot(statistics, title, classifier, plot, call_plot)
            plot = plot if is_drawn else None
        _print_summary(config, plot, statistics, monotonic() - start)
    return statistics.statuses["unreadable"] == 0


def _predict_and_write(
    config: InferConfig, files: InputFiles, classifier: "Classifier", pool: DecodePool
) -> RunStatistics:
    """Writes the rows of all files, batch by batch."""
    find_label = find_labels(files, config.labels, classifier.class_names)
    schema = Schema(
        class_names=classifier.class_names,
        has_labels=find_label is not None,
        top_k=config.top_k,
        has_probabilities=config.probabilities,
    )
    row_format = infer_format(config.output, config.format)(schema)
    statistics = RunStatistics(classifier.class_names)
    remaining = iter(files)
    keep_bytes = 0
    if config.resume and config.output is not None:
        written = _read_written_rows(config.output, row_format, remaining)
        for result, end in written:
            statistics.add(*result)
            keep_bytes = end
    num_skipped = statistics.num_files
    batch_size = config.rows_per_write or _default_rows_per_write()
    batches = _predict_batches(remaining, pool, classifier, find_label, batch_size)
    with open_writer(config.output, row_format, keep_bytes) as write_rows:
        for results in _show_progress(batches, num_skipped, len(files)):
            write_rows([schema.make_row(*result) for result in results])
            if config.debug_dir is not None:
                _save_visualizations(
                    results, config.debug_dir, classifier.preprocessing
                )
            for result in results:
                statistics.add(*result)
    return statistics


def _default_rows_per_write() -> int:
    from cnn.forward import images_per_call

    return max(_MIN_ROWS_PER_WRITE, images_per_call())


def _read_written_rows(
    output: Path, row_format: RowFormat, files: Iterator[InputFile]
) -> Iterator[tuple[LabeledPrediction, int]]:
    """Reads the rows of an interrupted run, which must be those of the first files.

    Args:
      output: path of the output.
      row_format: format of the output.
      files: all files. One is taken per row.

    Yields:
      The prediction of each row, and its end in the partial file as an offset in
      bytes.

    Raises:
      InferError: a row is that of another file.
    """
    from cnn.classifier import Prediction

    rows = enumerate(read_partial_rows(output, row_format), start=1)
    for number, (row, end) in rows:
        file = next(files, None)
        if file is None or file.name != row.path:
            raise InferError(
                f"{partial_path(output)}: its row {number:,} is of {row.path}, where "
                f"the folder has {file.name if file else 'nothing'} now; leave out "
                "--resume to begin anew"
            )
        prediction = Prediction(
            path=file.path,
            prediction=row.prediction or "",
            confidence=row.confidence or 0.0,
            status=row.status,
            detail=row.detail or "",
        )
        yield LabeledPrediction(file, prediction, row.label or ""), end


def _predict_batches(
    files: Iterator[InputFile],
    pool: DecodePool,
    classifier: "Classifier",
    find_label: Callable[[str], str] | None,
    batch_size: int,
) -> Iterator[list[LabeledPrediction]]:
    """Decodes and classifies files, and yields their results in batches."""
    # Files that the pool has taken, and that are not classified yet.
    pending: deque[InputFile] = deque()

    def take_sources() -> Iterator[Source]:
        for file in files:
            pending.append(file)
            yield Source(file.path)

    decoded = pool.imap(take_sources(), ReadOptions(classifier.preprocessing))
    while chunk := list(itertools.islice(decoded, batch_size)):
        batch = [pending.popleft() for _ in chunk]
        paths = [file.path for file in batch]
        predictions = classifier.classify(paths, chunk)
        labels = [find_label(file.name) if find_label else "" for file in batch]
        results = zip(batch, predictions, labels, strict=True)
        yield list(itertools.starmap(LabeledPrediction, results))


def _save_visualizations(
    results: Iterable[LabeledPrediction], folder: Path, preprocessing: str
) -> None:
    for result in results:
        save_visualization(result.file, result.prediction, folder, preprocessing)


def _show_progress(
    batches: Iterable[list[LabeledPrediction]], num_done: int, total: int
) -> Iterator[list[LabeledPrediction]]:
    """Yields the batches, with a progress bar on stderr."""
    is_terminal = sys.stderr.isatty()
    seconds = _TERMINAL_PROGRESS_SECONDS if is_terminal else _LOG_PROGRESS_SECONDS
    with tqdm(
        total=total,
        initial=num_done,
        desc="reading",
        unit=" images",
        leave=False,
        mininterval=seconds,
        delay=seconds,
        smoothing=0.05,
    ) as progress:
        for batch in batches:
            yield batch
            progress.update(len(batch))


def _print_summary(
    config: InferConfig, plot: Path | None, statistics: RunStatistics, seconds: float
) -> None:
    """Prints the number of files, the speed, and the paths of the outputs."""
    num_files = statistics.num_files
    if statistics.statuses["unreadable"] == num_files:
        inputs = describe_inputs(config.inputs)
        message = f"{inputs}: no image among its files; expected {FORMATS}"
        print(message, file=sys.stderr)
    speed = num_files / seconds
    parts = [statistics.summary, f"{seconds:.1f} s, {speed:,.0f} images/s"]
    if config.output is not None:
        parts.append(f"predictions in {config.output}")
    if plot is not None:
        parts.append(f"plot in {plot}")
    print("; ".join(parts), file=sys.stderr)

"""Inference on this machine: list → decode → classify → row → write.

Rows are in natural order of the file names. Every file has a row, whatever it holds.
"""

import contextlib
import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from cnn.config import InferConfig
from cnn.freed_memory import keep_freed_memory
from cnn.image_files.decode_pool import DecodePool, count_workers, open_pool
from cnn.image_files.listing import (
    FORMATS,
    InputFiles,
    PathError,
    describe_inputs,
    list_inputs,
)
from cnn.image_files.page_count import Sources, expand_sources
from cnn.inference.layout_outputs import (
    Statistics,
    add_result,
    check_class_names,
    find_labels_of,
    make_schema,
    make_statistics,
    save_report,
    save_visualization_of,
    speed_unit,
)
from cnn.inference.output_checks import check_outputs, own_files, plot_path
from cnn.inference.resume import continue_rows
from cnn.inference.review import ReviewFolder
from cnn.inference.row_formats import infer_format
from cnn.inference.row_writer import lock_output, open_writer
from cnn.inference.source_predictions import (
    ReadSettings,
    SourceResult,
    predict_in_batches,
)
from cnn.plot_process import plot_process
from cnn.progress_bar import tqdm

if TYPE_CHECKING:
    from cnn.classifier import Classifier

__all__ = ["PathError", "predict_folder"]

_MIN_ROWS_PER_WRITE = 512

# Seconds between updates of the progress bar, and before the first one. A log shows
# progress of long runs only.
_TERMINAL_PROGRESS_SECONDS = 0.1
_LOG_PROGRESS_SECONDS = 30.0


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
    review = ReviewFolder(config.review) if config.review else None
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock_output(config.output))
        if plot is not None:
            call_plot = stack.enter_context(plot_process())
        files = list_inputs(config.inputs, config.recursive, own_files(config))
        paths = (file.path for file in files)
        workers = count_workers(config.workers, len(files), paths)
        pool = stack.enter_context(open_pool(workers, config.decode_timeout))
        sources = expand_sources(files, pool, config.page_range, config.regions)
        # JAX takes a second to import, while the processes of the pool start.
        from cnn.classifier import Classifier

        classifier = Classifier.load(config.model, config.unsure_below)
        keep_freed_memory()
        classifier = classifier.restricted_to(config.classes)
        check_class_names(classifier, config.layout)
        statistics = _predict_and_write(
            config, files, sources, classifier, pool, review
        )
        if plot is not None:
            is_drawn = save_report(statistics, classifier, config, plot, call_plot)
            plot = plot if is_drawn else None
        _print_summary(config, plot, review, statistics, monotonic() - start)
    return statistics.num_unreadable == 0


def _predict_and_write(
    config: InferConfig,
    files: InputFiles,
    sources: Sources,
    classifier: "Classifier",
    pool: DecodePool,
    review: ReviewFolder | None,
) -> Statistics:
    """Writes the rows of all sources, batch by batch."""
    find_label = find_labels_of(config, files, classifier.class_names)
    kind = infer_format(config.output, config.format)
    schema = make_schema(
        config,
        classifier.class_names,
        kind,
        has_pages=sources.has_pages,
        has_labels=find_label is not None,
    )
    row_format = kind(schema)
    statistics = make_statistics(config, classifier.class_names, sources)
    remaining = iter(sources)
    keep_bytes = 0
    if config.resume and config.output is not None:
        add = functools.partial(_add_result, statistics, review)
        keep_bytes, remaining = continue_rows(config.output, row_format, remaining, add)
    num_skipped = statistics.num_files
    batches = predict_in_batches(
        remaining,
        pool,
        classifier,
        find_label,
        ReadSettings.of(config),
        config.rows_per_write or _default_rows_per_write(),
    )
    with open_writer(config.output, row_format, keep_bytes) as write_rows:
        for results in _show_progress(
            batches, num_skipped, len(sources), statistics.unit
        ):
            write_rows([row for result in results for row in result.make_rows(schema)])
            if config.debug_dir is not None:
                for result in results:
                    save_visualization_of(
                        result, config.debug_dir, classifier, config.layout
                    )
            for result in results:
                _add_result(statistics, review, result)
    return statistics


def _add_result(
    statistics: Statistics, review: ReviewFolder | None, result: SourceResult
) -> None:
    """Counts what was read of a source, and copies it for review if it is unsure."""
    add_result(statistics, result)
    if review is not None:
        review.add(result)


def _default_rows_per_write() -> int:
    from cnn.forward import images_per_call

    return max(_MIN_ROWS_PER_WRITE, images_per_call())


def _show_progress(
    batches: Iterable[list[SourceResult]], num_done: int, total: int, unit: str
) -> Iterator[list[SourceResult]]:
    """Yields the batches, with a progress bar on stderr."""
    is_terminal = sys.stderr.isatty()
    seconds = _TERMINAL_PROGRESS_SECONDS if is_terminal else _LOG_PROGRESS_SECONDS
    with tqdm(
        total=total,
        initial=num_done,
        desc="reading",
        unit=f" {speed_unit(unit)}",
        leave=False,
        mininterval=seconds,
        delay=seconds,
        smoothing=0.05,
    ) as progress:
        for batch in batches:
            yield batch
            progress.update(len(batch))


def _print_summary(
    config: InferConfig,
    plot: Path | None,
    review: ReviewFolder | None,
    statistics: Statistics,
    seconds: float,
) -> None:
    """Prints the number of files, the speed, and the paths of the outputs."""
    num_files = statistics.num_files
    if statistics.num_unreadable == num_files:
        inputs = describe_inputs(config.inputs)
        message = f"{inputs}: no image among its files; expected {FORMATS}"
        print(message, file=sys.stderr)
    speed = num_files / seconds
    parts = [
        statistics.summary,
        f"{seconds:.1f} s, {speed:,.0f} {speed_unit(statistics.unit)}/s",
    ]
    if config.output is not None:
        parts.append(f"predictions in {config.output}")
    if review is not None:
        parts.append(review.summary)
    if plot is not None:
        parts.append(f"plot in {plot}")
    print("; ".join(parts), file=sys.stderr)

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

from cnn import decoding, formats, output, rows
from cnn.config import InferConfig, address
from cnn.folder import FORMATS, File, Files, InferError, find_labels, scan
from cnn.summary import Call, Tally, draw, plotter, sentence, show


def infer(config: InferConfig) -> bool:
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
        decoders = stack.enter_context(decoding.opened(config.workers, config.timeout))
        call = stack.enter_context(plotter()) if _plot(config) else None
        files = scan(config)
        decoders.prepare(len(files), (file.path for file in files))
        from cnn.classifier import Classifier  # JAX, imported while the decoders start.

        classifier = Classifier.load(config.model)
        if config.unsure_below is not None:
            classifier.unsure_below = config.unsure_below
        tally = _read(config, files, classifier, decoders)
        _conclude(config, tally, classifier, monotonic() - start, call)
    return not tally.statuses["unreadable"]


def _read(config: InferConfig, files: Files, classifier: Any, decoders: decoding.Decoders) -> Tally:
    """Reads the files, and writes their rows."""
    tally = Tally(classifier.class_names)
    label_of = find_labels(files, config.labels, classifier.class_names)
    columns, row = rows.choose(config, classifier.class_names, labelled=label_of is not None)
    label_of = label_of or (lambda _: "")
    kind, left = formats.choose(config.output, config.format), iter(files)
    done = _resumed(config, columns, kind, left, tally) if config.resume else 0
    with output.opened(config.output, columns, kind, config.resume) as write:
        readings = _readings(left, classifier, decoders, config.batch_size)
        for batch in _shown(readings, done, len(files)):
            labels = [label_of(file.name) for file, _ in batch]
            write([row(file, reading, label) for (file, reading), label in zip(batch, labels, strict=True)])
            for (file, reading), label in zip(batch, labels, strict=True):
                if config.show:
                    show(file, reading, config.show, classifier.preprocessing)
                tally.add(file, reading, label)
    return tally


def _resumed(
    config: InferConfig, columns: formats.Columns, kind: formats.Format, left: Iterator[File], tally: Tally
) -> int:
    """Counts the rows that a stopped run has left, which must be of the first files, and takes these."""
    from cnn.classifier import Reading

    assert config.output is not None
    done = 0
    for row in output.earlier_rows(config.output, columns, kind):
        file = next(left, None)
        if file is None or row["path"] != file.name:
            raise InferError(
                f"{output.partial_of(config.output)}: its row {done + 1:,} is of {row['path']}, where the "
                f"folder has {file.name if file else 'nothing'} now; leave out --resume to begin anew"
            )
        confidence = float(row["confidence"] or 0)
        reading = Reading(file.path, row["prediction"], confidence, row["status"], row["detail"])
        tally.add(file, reading, row.get("label", ""))
        done += 1
    return done


def _readings(
    left: Iterator[File], classifier: Any, decoders: decoding.Decoders, batch_size: int
) -> Iterator[list[tuple[File, Any]]]:
    """Yields the files with what was read in them, a batch at a time."""
    ahead: deque[File] = deque()  # Those that decoding has asked for, and which are not read yet.

    def paths() -> Iterator[str]:
        for file in left:
            ahead.append(file)
            yield file.path

    decoded = decoders.decode(paths(), classifier.preprocessing)
    while pictures := list(itertools.islice(decoded, batch_size)):
        batch = [ahead.popleft() for _ in pictures]
        yield list(zip(batch, classifier.read([f.path for f in batch], pictures), strict=True))


def _shown(batches: Iterable[list], done: int, total: int) -> Iterator[list]:
    """Shows how far the batches are, at once in a terminal, elsewhere only if it takes long."""
    patience = 0.1 if sys.stderr.isatty() else 30
    with tqdm(
        **{"total": total, "initial": done, "desc": "reading", "unit": " images", "leave": False},
        **{"mininterval": patience, "delay": patience, "smoothing": 0.05},
    ) as progress:
        for batch in batches:
            yield batch
            progress.update(len(batch))


def _check_outputs(config: InferConfig) -> None:
    """Fails before the work what would fail after it, or would write over what is read."""
    if "://" in address(config.input):
        raise InferError(f"{address(config.input)}: is not of this machine; give --engine ray, too")
    if config.show is not None:
        _check_show(config)
    if formats.choose(config.output, config.format) == "parquet":
        _check_parquet(config)
    outputs = {"--output": config.output, "--plot": _plot(config)}
    taken = {os.path.realpath(p): f for f, p in (("--model", config.model), ("--labels", config.labels)) if p}
    taken[os.path.realpath(config.input)] = "--input"
    for flag, path in outputs.items():
        if path is None:
            continue
        folder = path.absolute().parent
        if path.is_dir():
            raise InferError(f"{path}: is a folder; {flag} needs the name of a file")
        if not folder.is_dir():
            raise InferError(f"{path.parent}: no such folder; make it, or give another {flag}")
        if not path.exists() and not os.access(folder, os.W_OK):
            raise InferError(f"{path.parent}: no permission to write there; give another {flag}")
        if os.path.realpath(path) in taken:
            raise InferError(f"{path}: is also {taken[os.path.realpath(path)]}; give another {flag}")
        taken[os.path.realpath(path)] = flag


def _check_parquet(config: InferConfig) -> None:
    if config.output is None or output.is_special(config.output):
        raise InferError("--format parquet: is written to a regular file only; name one with --output")


def _check_show(config: InferConfig) -> None:
    assert config.show is not None
    if os.path.realpath(config.show) == os.path.realpath(config.input):
        raise InferError(f"{config.show}: is also --input; give another --show")
    try:
        config.show.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InferError(f"{config.show}: no folder, and none can be made: {error.strerror}") from error


def _plot(config: InferConfig) -> Path | None:
    return None if str(config.plot) == "none" else config.plot


def _conclude(config: InferConfig, tally: Tally, classifier: Any, seconds: float, call: Call | None) -> None:
    """Draws the plot, and says on stderr what was done and where it is."""
    total = sum(tally.statuses.values())
    text = sentence(tally.statuses, tally.right, tally.labelled)
    plot = _plot(config)
    if plot is not None and call is not None:
        draw(tally, text, classifier, plot, call)
    if tally.statuses["unreadable"] == total:
        print(f"{config.input}: no image among its files; expected {FORMATS}", file=sys.stderr)
    where = [f"predictions in {config.output}"] * (config.output is not None)
    where += [f"plot in {plot}"] * (plot is not None)
    speed = f"{seconds:.1f} s, {total / seconds:,.0f} images/s"
    print("; ".join([text, speed, *where]), file=sys.stderr)

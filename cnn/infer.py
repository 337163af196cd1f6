"""A folder of images into rows, in natural order, batch by batch; whatever a file is, it has a row."""

import contextlib
import csv
import heapq
import itertools
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, TextIO

import numpy as np
from tqdm import tqdm

import cnn
from cnn import decoding, images
from cnn.atomic import replacing
from cnn.config import InferConfig

# How many pictures the plot shows.
_SHEET = 40

_FORMATS = ", ".join(images.FORMATS)


class InferError(cnn.Error):
    """An input or an output that cannot be used."""


class File(NamedTuple):
    """A file to read.

    Attributes:
      path: where it is.
      name: its path relative to the input, with `/`.
    """

    path: str
    name: str


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
    files = scan(config)
    with decoding.opened([file.path for file in files], config.workers) as decode:
        from cnn.classifier import Classifier  # JAX, imported while the decoders start.

        classifier = Classifier.load(config.model, config.batch_size)
        if config.unsure_below is not None:
            classifier.unsure_below = config.unsure_below
        labels = find_labels(files, config.labels, classifier.class_names)
        tally = Tally(classifier.class_names)
        with _output(config.output) as out:
            write = _writer(out, config, classifier.class_names, labelled=bool(labels))
            for file, reading in _readings(files, classifier, decode, config.batch_size):
                write(file, reading, labels.get(file.name, ""))
                if config.show:
                    show(file, reading, config.show, classifier.preprocessing)
                tally.add(file, reading, labels.get(file.name, ""))
    _conclude(config, tally, classifier.preprocessing, monotonic() - start)
    return not tally.statuses["unreadable"]


def scan(config: InferConfig) -> list[File]:
    """Lists the files of the input in natural order (2 before 10), without hidden ones.

    The program's own outputs are left out, should they lie in there.

    Raises:
      InferError: there is no such input, or nothing in it.
    """
    top = config.input
    if top.is_file():
        return [File(str(top), top.name)]
    if not top.is_dir():
        raise InferError(f"{top}: no such folder or image; --input names what to read")
    ours = (config.output, config.plot, config.labels, config.model)
    own = {os.path.abspath(path) for path in ours if path}
    shown = os.path.abspath(config.show) + os.sep if config.show else "\0"
    paths = (
        path
        for path in _walk(top, config.recursive)
        if os.path.abspath(path) not in own and not os.path.abspath(path).startswith(shown)
    )
    files = [File(path, os.path.relpath(path, top).replace(os.sep, "/")) for path in paths]
    if not files:
        hint = "" if config.recursive else " (and --no-recursive leaves out the folders in it)"
        raise InferError(f"{top}: nothing to read in this folder{hint}; expected {_FORMATS} images")
    return sorted(files, key=lambda file: natural(file.name))


def _walk(top: Path, recursive: bool) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        print(f"warning: {error.filename}: left out: {error.strerror}", file=sys.stderr)

    for folder, folders, names in os.walk(top, onerror=refuse):
        folders[:] = [f for f in folders if recursive and not f.startswith(".")]
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))


def natural(name: str) -> tuple[list[Any], str]:
    """Makes a sorting key that takes runs of digits as numbers.

    Example:
      >>> sorted(["a10", "a2", "a1/b"], key=natural)
      ['a1/b', 'a2', 'a10']
    """
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def find_labels(files: Sequence[File], labels: Path | None, class_names: Sequence[str]) -> dict[str, str]:
    """Finds the true classes of files, where they are known.

    Args:
      files: what will be read.
      labels: a CSV of `path,label`, or None to look at the names of folders and files.
      class_names: what counts as a label.

    Returns:
      Class names by `File.name`.

    Raises:
      InferError: the CSV is no such CSV.
    """
    if labels is not None:
        known = _read_labels(labels, set(class_names))
        if not any(file.name in known for file in files):
            raise InferError(
                f"{labels}: none of its paths is that of a file in --input, like {files[0].name}"
            )
        return known
    found = {file.name: _label_in_name(file.path, set(class_names)) for file in files}
    return {name: label for name, label in found.items() if label}


def _label_in_name(path: str, class_names: set[str]) -> str:
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    if folder in class_names:
        return folder
    _, underscore, end = Path(path).stem.rpartition("_")
    return end if underscore and end in class_names else ""


def _read_labels(path: Path, class_names: set[str]) -> dict[str, str]:
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            rows = [[cell.strip() for cell in row[:2]] for row in csv.reader(file) if row]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InferError(f"{path}: the labels cannot be read: {reason}") from error
    if rows and [cell.lower() for cell in rows[0]] == ["path", "label"]:
        rows = rows[1:]
    rows = [row for row in rows if row[1:] != [""]]  # Not labelled yet.
    for row in rows:
        if len(row) < 2 or row[1] not in class_names:
            raise InferError(
                f"{path}: expected rows of path,label with a label among {', '.join(sorted(class_names))}; "
                f"found {','.join(row)}"
            )
    return {row[0].removeprefix("./"): row[1] for row in rows}


def _readings(
    files: Sequence[File], classifier: Any, decode: decoding.Decode, batch_size: int
) -> Iterator[tuple[File, Any]]:
    """Yields each file with what was read in it, a batch at a time."""
    decoded = decode([file.path for file in files], classifier.preprocessing)
    with tqdm(total=len(files), desc="reading", unit=" files", leave=False, disable=None) as progress:
        for start in range(0, len(files), batch_size):
            batch = files[start : start + batch_size]
            pictures = list(itertools.islice(decoded, len(batch)))
            yield from zip(batch, classifier.read([f.path for f in batch], pictures), strict=True)
            progress.update(len(batch))


def _check_outputs(config: InferConfig) -> None:
    """Fails before the work what would fail after it, or would write over what is read."""
    if config.show is not None:
        _check_show(config)
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


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Opens the CSV: a file beside its place until it is whole, or stdout."""
    # Names that are not UTF-8 are written as the bytes that they are.
    options: Any = {"errors": "surrogateescape", "newline": ""}
    if path is None:
        if sys.stdout is None:
            raise InferError("stdout is closed; give --output")
        with open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False, **options) as out:
            yield out
        return
    with replacing(path) as partial, open(partial, "w", encoding="utf-8", **options) as out:
        yield out


def _writer(out: TextIO, config: InferConfig, class_names: Sequence[str], labelled: bool) -> Any:
    """Writes the header, and returns the function that writes a row."""
    rows = csv.writer(out, lineterminator="\n")
    ranks = range(2, min(config.top_k, len(class_names)) + 1)
    header = ["path", "prediction", "confidence", "status", "detail"] + ["label"] * labelled
    header += [f"{column}_{rank}" for rank in ranks for column in ("prediction", "confidence")]
    rows.writerow(header + list(class_names) * config.probabilities)

    def write(file: File, reading: Any, label: str) -> None:
        row = [file.name, reading.prediction, _number(reading), reading.status, reading.detail]
        row += [label] * labelled
        probabilities = reading.probabilities
        read = probabilities is not None
        best = np.argsort(-probabilities, kind="stable") if read else np.zeros(0, int)
        for rank in ranks:
            row += [class_names[best[rank - 1]], f"{probabilities[best[rank - 1]]:.6f}"] if read else ["", ""]
        if config.probabilities:
            row += [f"{p:.6f}" for p in probabilities] if read else [""] * len(class_names)
        rows.writerow(row)

    return write


def _number(reading: Any) -> str:
    return f"{reading.confidence:.6f}" if reading.prediction else ""


class Tally:
    """What the plot and the closing line need to remember of all rows.

    Attributes:
      statuses: how many rows of each status.
      confidences: of the predictions of each class.
      truths: labels of the labelled images, in numbers.
      guesses: their predictions, -1 for none.
      sheet: pictures for the plot, wrong or least sure first.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        """Starts to count."""
        self.class_names = class_names
        self.statuses: Counter[str] = Counter()
        self.confidences: dict[str, list[float]] = {name: [] for name in class_names}
        self.truths: list[int] = []
        self.guesses: list[int] = []
        self._heap: list[tuple[float, int, str, Any, str, bool | None]] = []

    def add(self, file: File, reading: Any, label: str) -> None:
        """Counts a row."""
        self.statuses[reading.status] += 1
        if label and reading.status != "unreadable":
            self.truths.append(self.class_names.index(label))
            guess = self.class_names.index(reading.prediction) if reading.prediction else -1
            self.guesses.append(guess)
        if reading.prediction:
            self.confidences[reading.prediction].append(reading.confidence)
            self._remember(file, reading, right=label == reading.prediction if label else None)

    def _remember(self, file: File, reading: Any, right: bool | None) -> None:
        name = file.name if len(file.name) <= 18 else "…" + file.name[-17:]
        name = _legible(name)
        doubtful = "?" if reading.status == "unsure" else ""
        caption = f"{name}\nread as {reading.prediction}{doubtful}, {reading.confidence:.1%}"
        # The heap's first is the one that another, more doubtful, will push out.
        doubt = -reading.confidence - (0 if right is False else 1)
        item = (doubt, -sum(self.statuses.values()), file.path, reading, caption, right)
        (heapq.heappush if len(self._heap) < _SHEET else heapq.heappushpop)(self._heap, item)

    @property
    def sheet(self) -> list[tuple[str, Any, str, bool | None]]:
        """Paths, readings, captions, and whether they were right, None where that is not known."""
        return [item[2:] for item in sorted(self._heap, key=lambda item: item[:2], reverse=True)]

    @property
    def right(self) -> int:
        """How many labelled images were read right."""
        return sum(truth == guess for truth, guess in zip(self.truths, self.guesses, strict=True))


def _conclude(config: InferConfig, tally: Tally, preprocessing: str, seconds: float) -> None:
    """Draws the plot, and says on stderr what was done and where it is."""
    total = sum(tally.statuses.values())
    counts = ", ".join(
        f"{tally.statuses[s]:,} {s}" for s in ("ok", "unsure", "blank", "unreadable") if tally.statuses[s]
    )
    summary = f"{total:,} files: {counts}"
    if tally.truths:
        summary += (
            f"; accuracy {tally.right / len(tally.truths):.2%} of {len(tally.truths):,} labelled images"
        )
    plot = _plot(config)
    if plot is not None:
        _draw(tally, summary, preprocessing, plot)
    if tally.statuses["unreadable"] == total:
        print(f"{config.input}: no image among its files; expected {_FORMATS}", file=sys.stderr)
    where = [f"predictions in {config.output}"] * (config.output is not None)
    where += [f"plot in {plot}"] * (plot is not None)
    speed = f"{seconds:.1f} s, {total / seconds:,.0f} images/s"
    print("; ".join([summary, speed, *where]), file=sys.stderr)


def _draw(tally: Tally, title: str, preprocessing: str, path: Path) -> None:
    from cnn import plots

    sheet = tally.sheet
    originals = [_view(name, reading, preprocessing).original for name, reading, *_ in sheet]
    pictures = np.array([reading.picture for _, reading, *_ in sheet])
    captions = [(caption, right) for *_, caption, right in sheet]
    if tally.truths:
        truths, guesses = np.array(tally.truths), np.array(tally.guesses)
        plots.labelled_readings(
            truths, guesses, tally.class_names, originals, pictures, captions, title, path
        )
    else:
        texts = [text for text, _ in captions]
        plots.readings(originals, pictures, texts, tally.confidences, title, path)


def _view(path: str, reading: Any, preprocessing: str) -> images.View:
    try:
        return images.view(path, preprocessing, reading.way)
    except images.UnreadableImageError:  # It was never a picture, or is none any more.
        return images.View(np.full((28, 28, 3), 255, np.uint8), np.zeros((28, 28), np.float32))


def show(file: File, reading: Any, folder: Path, preprocessing: str) -> None:
    """Draws a file, what was found in it, and what the network saw, to `folder/NAME.png`."""
    from cnn import plots

    path = folder / (file.name + ".png")
    original, found = _view(file.path, reading, preprocessing)
    picture = reading.picture if reading.picture is not None else np.zeros(images.SHAPE, np.float32)
    read = f"read as {reading.prediction}, {reading.confidence:.1%}, " if reading.prediction else ""
    detail = f" ({reading.detail})" if reading.detail else ""
    caption = f"{_legible(file.name)}: {read}{reading.status}{detail}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        plots.shown(original, found, picture, caption, path)
    except OSError as error:  # The row is what counts; a name may be too long with its ending.
        print(f"warning: {_legible(str(path))}: not drawn: {error.strerror}", file=sys.stderr)


def _legible(name: str) -> str:
    return name.encode(errors="replace").decode().replace("\n", " ")

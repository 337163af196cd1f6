"""Settings of `bin/infer`. See `cnn.config`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from cnn.config_schema import (
    Negation,
    Range,
    check_ranges,
    flag_name,
    resolve_paths,
)
from cnn.errors import UsageError
from cnn.number_pattern import NumberPattern, parse_number_pattern
from cnn.page_range import PageRange, parse_pages
from cnn.page_region import Region, parse_regions
from cnn.user_path import as_uri, is_uri

# Paths of stdout. A rename would replace the file that a shell has opened for it.
_STDOUT_NAMES = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


@dataclasses.dataclass(frozen=True)
class InferConfig:
    """Reads every image in a folder: a character, a number, or all numbers of a page.

    Writes rows, and a plot.
    """

    input: Path | tuple[Path, ...]
    """Folder of images, or one image, or several of both.
    A row has the path relative to the folder, and with several inputs the path as
    given."""

    model: Path | None = None
    """Model file (.h5, of bin/train or of Keras), the workdir of a training run, or
    digits, the shipped model.
    Default: mnist_model.h5 if there is one, else digits."""

    layout: Literal["character", "line", "page"] = "character"
    """What a picture shows: one character, one number (line), or any number of
    numbers (page). A row is a picture, or with page a number."""

    region: str | tuple[str, ...] = ()
    """Part of each page to read: its left, top, right and bottom edge in fractions of
    the upright page, as 0.3,0.4,0.7,0.5 or with a name as id=0.3,0.4,0.7,0.5. May be
    several, with a row each.
    Default: the whole page."""

    length: str | None = None
    """Number of digits of each number, as 10 or 8-10. For layouts line and page.
    Default: any."""

    pattern: str | None = None
    """Digits and separators of each number, as dd.dd.dddd, where d is a digit. For
    layouts line and page.
    Default: any."""

    separators: str | None = None
    """Marks between digits that are read, one or more of .,-/: without spaces. Others
    are passed over. For layouts line and page.
    Default: those of --pattern."""

    pages: str | None = None
    """Pages to read of files that have several, as 1,3-5.
    Default: all."""

    boxes: bool = False
    """Add a column with the box, class, confidence and runner-up of each character of
    a number, as JSON. In JSON lines of layouts line and page it is always there."""

    output: Path | None = None
    """File to write, by its ending: .csv (or none), .jsonl or .parquet; - is stdout.
    Default: stdout."""

    format: Literal["csv", "jsonl", "parquet"] | None = None
    """Format of the rows: csv, jsonl (one JSON object per line) or parquet.
    Default: by the ending of --output."""

    resume: bool = False
    """Continue an interrupted run after the last complete row of OUTPUT.partial."""

    plot: Path = Path("predictions.png")
    """Plot of the predictions to write (PNG), or none."""

    debug_dir: Path | None = None
    """Folder for one diagnostic image per file.
    It shows the original, the segmented ink and the network input, or the boxes and
    digits of numbers.
    Default: none."""

    probabilities: bool = False
    """Add one column per class, with its probability."""

    top_k: Annotated[int, Range(1)] = 1
    """Report the K most probable classes and their probabilities, at least 1."""

    classes: str | None = None
    """Classes that can occur, as 0-9A-F, or as names with commas: cat,dog. The
    confidence is then that among them. O and 0 share a shape, as do I, l and 1.
    Default: all classes of the model."""

    unsure_below: Annotated[float | None, Range(0, 1)] = None
    """Confidence below which a row is unsure, in [0, 1].
    Default: the threshold of the model."""

    review: Path | None = None
    """Folder to which unsure pictures are copied, as PREDICTION/NAME, once each. Move
    those that are wrong into the folder of their class, for bin/train --images.
    Default: none."""

    labels: Path | None = None
    """CSV of true classes or numbers, with the columns path,label and perhaps
    page,region. Or none.
    Or names, for folders (7/a.png) and files (a_7.png) named after their class.
    Default: by names, unless they end in running numbers, for layout character."""

    rows_per_write: Annotated[int | None, Range(1)] = None
    """Rows per write, at least 1. Does not affect predictions.
    Default: 512, or 256 per device if that is more."""

    workers: Annotated[int | None, Range(0)] = None
    """Processes that decode images, at least 0. With 0, the main process decodes.
    Default: one, or one per core if there is much to decode."""

    decode_timeout: Annotated[float, Range(0.001)] = 20.0
    """Seconds a worker may spend on one file, at least 0.001.
    The file is then reported as unreadable."""

    recursive: Annotated[bool, Negation("Do not read sub-folders.")] = True
    """Also read sub-folders."""

    engine: Literal["local", "ray"] = "local"
    """local, or ray to distribute over a Ray cluster.
    With ray, --input and --output are folders or URIs."""

    ray_address: str | None = None
    """Address of the Ray cluster, or auto for the cluster of this machine.
    Default: a new cluster of this machine alone."""

    def __post_init__(self) -> None:
        check_ranges(self)
        resolve_paths(self, may_be_uri=("input", "output"))
        self._unify_spellings()
        if self.resume and self.output is None:
            raise UsageError(
                "--resume: needs --output, the file of the interrupted run"
            )
        self._check_layout()
        if self.engine == "ray":
            self._check_ray()
        else:
            self._check_local()

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All folders and images to read."""
        return self.input if isinstance(self.input, tuple) else (self.input,)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The parts of each page to read, or none for the whole page."""
        texts = (self.region,) if isinstance(self.region, str) else self.region
        return parse_regions(texts)

    @property
    def number_pattern(self) -> NumberPattern:
        """What is known of the numbers."""
        return parse_number_pattern(self.length, self.pattern, self.separators)

    @property
    def page_range(self) -> PageRange | None:
        """The pages to read, or None for all."""
        return None if self.pages is None else parse_pages(self.pages)

    def _unify_spellings(self) -> None:
        """Makes one input a `Path`, and stdout None."""
        if len(self.inputs) == 1:
            object.__setattr__(self, "input", self.inputs[0])
        elif not self.inputs:
            raise UsageError("--input: expected a folder or an image, got nothing")
        if self.output is not None and str(self.output) in _STDOUT_NAMES:
            object.__setattr__(self, "output", None)

    def _check_layout(self) -> None:
        """Checks the flags of layouts, by parsing them."""
        self.regions, self.number_pattern, self.page_range  # noqa: B018
        if self.layout == "character":
            wrong = ["length", "pattern", "separators", "boxes"]
            expected = "--layout line or page"
        else:
            wrong = ["probabilities", "top_k", "review"]
            expected = "--layout character"
        for name in wrong:
            if getattr(self, name) != getattr(type(self), name):
                raise UsageError(
                    f"{flag_name(name)}: goes with {expected}, got --layout "
                    f"{self.layout}"
                )
        if self.layout == "page" and str(self.labels) not in ("None", "none"):
            raise UsageError(
                "--labels: goes with --layout character or line, got --layout page"
            )

    def _check_local(self) -> None:
        if self.ray_address is not None:
            raise UsageError("--ray-address: goes with --engine ray")
        for flag, path in (
            *(("--input", path) for path in self.inputs),
            ("--output", self.output),
        ):
            if path is not None and is_uri(path):
                raise UsageError(
                    f"{flag}: {as_uri(path)}: is not a local path; add --engine ray"
                )

    def _check_ray(self) -> None:
        if len(self.inputs) > 1 and any(map(is_uri, self.inputs)):
            raise UsageError("--input: a URI must be the only input")
        if self.output is None:
            raise UsageError(
                "--engine ray: writes many files; give the folder for them as --output"
            )
        if self.resume:
            raise UsageError(
                "--resume: not with --engine ray, which repeats lost blocks itself"
            )
        for name in ("debug_dir", "review"):
            if getattr(self, name) is not None:
                raise UsageError(f"{flag_name(name)}: not with --engine ray")

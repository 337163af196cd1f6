"""Reads the images of a folder, by a classifier of characters."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args, overload

from cnn.character_reading import CharacterReader
from cnn.config_schema import Range
from cnn.errors import UsageError
from cnn.line_reading import LineReader
from cnn.number_pattern import NumberPattern
from cnn.number_prediction import NumberPrediction, check_preprocessing, make_pattern
from cnn.page_range import parse_pages
from cnn.page_region import Region, parse_regions
from cnn.prediction import Prediction
from cnn.preprocessing.pipeline import PreprocessedFile
from cnn.preprocessing.source import Layout, ReadOptions, Source

if TYPE_CHECKING:
    from cnn.image_files.decode_pool import DecodePool
    from cnn.image_files.page_count import Sources

# Sources that are classified together.
_BATCH_SIZE = 256


class FolderOptions(TypedDict, total=False):
    """Arguments of `read_folder` for every layout."""

    pages: str | None
    region: str | Region | None
    recursive: bool
    workers: int | None
    decode_timeout: float


class NumberFolderOptions(FolderOptions, total=False):
    """Arguments of `read_folder` for the layouts of numbers."""

    length: int | str | None
    pattern: str | None
    separators: str | None


class FolderReader(CharacterReader, LineReader):
    """Methods of `Classifier` that read folders."""

    @overload
    def read_folder(
        self,
        folder: str | Path,
        layout: Literal["character"] = ...,
        **options: Unpack[FolderOptions],
    ) -> Iterator[Prediction]: ...

    @overload
    def read_folder(
        self,
        folder: str | Path,
        layout: Literal["line"],
        **options: Unpack[NumberFolderOptions],
    ) -> Iterator[NumberPrediction]: ...

    @overload
    def read_folder(
        self,
        folder: str | Path,
        layout: Literal["page"],
        **options: Unpack[NumberFolderOptions],
    ) -> Iterator[list[NumberPrediction]]: ...

    def read_folder(
        self,
        folder: str | Path,
        layout: Layout = "character",
        *,
        length: int | str | None = None,
        pattern: str | None = None,
        separators: str | None = None,
        pages: str | None = None,
        region: str | Region | None = None,
        recursive: bool = True,
        workers: int | None = None,
        decode_timeout: float = 20.0,
    ) -> Iterator[Any]:
        """Reads the images of a folder, as `bin/infer` does.

        Args:
          folder: a folder, or one file.
          layout: what a picture shows: one `character`, one number (`line`), or any
            number of numbers (`page`).
          length: number of digits of each number, or a range like "8-10".
          pattern: digits and separators of each number, like "dd.dd.dddd".
          separators: the separators that are read, among `.,-/:`.
          pages: pages to read of files that have several, like "1,3-5". None is all.
          region: the part of each page to read, as for `read_character`.
          recursive: whether sub-folders are read, too.
          workers: processes that decode images. With 0, this process decodes. None is
            one, or one per core if there is much to decode.
          decode_timeout: seconds that a process may spend on one file.

        Returns:
          The results in natural order of the names, each once it is known, one for each
          page of each file: a `Prediction`, with `line` a `NumberPrediction`, and with
          `page` a list of those. A page without numbers has one that is `blank`.

        Raises:
          cnn.Error: there is no such folder, or nothing in it, or a setting is wrong.

        Example:
          >>> classifier = cnn.Classifier.load()  # doctest: +SKIP
          >>> for result in classifier.read_folder("scans"):  # doctest: +SKIP
          ...     print(result.path, result.prediction)
        """
        # Imported late: few programs read folders.
        from cnn.image_files.decode_pool import count_workers, open_pool
        from cnn.image_files.listing import list_inputs
        from cnn.image_files.page_count import expand_sources

        self._check_layout(layout, length, pattern, separators)
        known = make_pattern(length, pattern, separators)
        Range(0).check(0 if workers is None else workers, "workers")
        Range(0.001).check(decode_timeout, "decode_timeout")
        regions = _parse_region(region)
        page_range = None if pages is None else parse_pages(pages)
        files = list_inputs(folder, recursive)
        paths = (file.path for file in files)
        num_workers = count_workers(workers, len(files), paths)

        def read_files() -> Iterator[Any]:
            with open_pool(num_workers, decode_timeout) as pool:
                sources = expand_sources(files, pool, page_range, regions)
                yield from self._read_sources(sources, pool, layout, known)

        return read_files()

    def _check_layout(self, layout: str, *of_numbers: object) -> None:
        """Checks that a layout is known, and goes with the model and other settings."""
        if layout not in get_args(Layout):
            expected = ", ".join(get_args(Layout))
            raise UsageError(f"layout: expected one of {expected}, got {layout!r}")
        if layout != "character":
            check_preprocessing(self.preprocessing, layout)
        elif any(setting is not None for setting in of_numbers):
            raise UsageError(
                "length, pattern and separators: go with the layouts line and page"
            )

    def _read_sources(
        self,
        sources: "Sources",
        pool: "DecodePool",
        layout: Layout,
        pattern: NumberPattern,
    ) -> Iterator[Any]:
        from cnn.image_files.source_batches import decode_in_batches

        options = ReadOptions(self.preprocessing, layout)
        for batch in decode_in_batches(sources, pool, options, _BATCH_SIZE):
            _, of_batch, decoded = zip(*batch, strict=True)
            yield from self._read_batch(of_batch, decoded, layout, pattern)

    def _read_batch(
        self,
        sources: Sequence[Source],
        files: Sequence[PreprocessedFile],
        layout: Layout,
        pattern: NumberPattern,
    ) -> Sequence[Any]:
        """Returns the result of each source, as the layout has it."""
        if layout == "character":
            return self.classify([source.path for source in sources], files)
        numbers = self.classify_lines(sources, files, pattern)
        return [number for (number,) in numbers] if layout == "line" else numbers


def _parse_region(region: str | Region | None) -> tuple[Region, ...]:
    if region is None:
        return ()
    return parse_regions([region]) if isinstance(region, str) else (region,)

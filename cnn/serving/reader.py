"""Reads uploads as `bin/infer` reads files: count pages, decode, classify."""

import asyncio
import copy
import functools
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cnn.errors import UsageError
from cnn.image_files.listing import InputFile
from cnn.image_files.page_count import Sources, make_sources
from cnn.infer_config import InferConfig
from cnn.inference.layout_outputs import check_class_names
from cnn.inference.source_predictions import SourceResult
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.documents.page_remark import may_have_pages
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import (
    CountOptions,
    Layout,
    ReadOptions,
    Source,
    WorkOptions,
)
from cnn.serving.decode_queue import DecodeQueue
from cnn.serving.errors import RequestError, describe_error
from cnn.serving.micro_batches import MicroBatcher

if TYPE_CHECKING:
    from cnn.classifier import Classifier

# Requests that are classified together.
_MAX_CHARACTER_REQUESTS = 64
# Those whose numbers are: a page has thousands of pieces.
_MAX_NUMBER_REQUESTS = 4
# Sources of a request that are in memory at a time. A page of numbers may take 10 MB.
_GROUP_SIZES: dict[Layout, int] = {"character": 256, "line": 32, "page": 8}
# Classifiers with other classes or thresholds that are kept.
_MAX_CLASSIFIERS = 32


class ReadWork(NamedTuple):
    """Preprocessed sources of one request.

    Attributes:
      classifier: reads them.
      sources: files, pages or regions.
      files: the result of preprocessing each.
      pattern: what is known of numbers.
    """

    classifier: "Classifier"
    sources: Sequence[Source]
    files: Sequence[PreprocessedFile]
    pattern: NumberPattern


class ReadResult(NamedTuple):
    """What was read of a request.

    Attributes:
      classifier: the one that read it.
      has_pages: whether rows tell the page.
      results: of each source, in order.
      previews: what people see of each source, as JSON values, if it was asked for.
    """

    classifier: "Classifier"
    has_pages: bool
    results: list[SourceResult]
    previews: list[dict[str, Any]]


# Describes sources that were read and preprocessed, for people.
Describe = Callable[
    ["Classifier", Sequence[SourceResult], Sequence[PreprocessedFile]],
    Awaitable[list[dict[str, Any]]],
]


class Reader:
    """Reads files in memory, for many requests at a time.

    Attributes:
      queue: the processes that decode.
      classifier: the model, once it is loaded.
    """

    def __init__(self, queue: DecodeQueue, max_pages: int) -> None:
        """Takes the processes that decode.

        Args:
          queue: the processes.
          max_pages: most pages and regions of a request.
        """
        self.queue = queue
        self.classifier: asyncio.Future[Classifier] = (
            asyncio.get_running_loop().create_future()
        )
        self._max_pages = max_pages
        self._characters = MicroBatcher(
            classify_characters, _MAX_CHARACTER_REQUESTS, queue.is_busy
        )
        self._numbers = MicroBatcher(
            classify_numbers, _MAX_NUMBER_REQUESTS, queue.is_busy
        )
        self._derive = functools.lru_cache(maxsize=_MAX_CLASSIFIERS)(_derive_classifier)

    async def read(
        self,
        files: Sequence[InputFile],
        config: InferConfig,
        describe: Describe | None = None,
    ) -> ReadResult:
        """Reads files.

        Args:
          files: in the order of the answer.
          config: settings of `bin/infer`.
          describe: makes previews of the sources, while they are in memory.

        Raises:
          RequestError: the settings do not fit the model, or the pages are too many.
        """
        sources = await self.expand(files, config)
        classifier = self.derive(await self.loaded(), config)
        read = ReadResult(classifier, sources.has_pages, [], [])
        remaining = iter(sources)
        while group := list(itertools.islice(remaining, _GROUP_SIZES[config.layout])):
            results, decoded = await self._read_group(group, classifier, config)
            read.results.extend(results)
            if describe is not None:
                read.previews.extend(await describe(classifier, results, decoded))
        return read

    async def _read_group(
        self,
        group: Sequence[tuple[InputFile, Source]],
        classifier: "Classifier",
        config: InferConfig,
    ) -> tuple[list[SourceResult], list[PreprocessedFile]]:
        """Decodes and classifies some sources of a request."""
        sources = [source for _, source in group]
        options = ReadOptions(classifier.preprocessing, config.layout)
        decoded = await self.queue.decode(sources, options)
        work = ReadWork(classifier, sources, decoded, config.number_pattern)
        is_character = config.layout == "character"
        batcher = self._characters if is_character else self._numbers
        predictions = await batcher.submit(work)
        results = [
            SourceResult(file, source, of_source, "")
            for (file, source), of_source in zip(group, predictions, strict=True)
        ]
        return results, decoded

    async def loaded(self) -> "Classifier":
        """Returns the model, once it is loaded.

        Raises:
          RequestError: it cannot be loaded, and the server ends.
        """
        if not self.classifier.done():
            await asyncio.wait([self.classifier])
        if self.classifier.cancelled():
            raise RequestError(503, "the model cannot be loaded")
        return self.classifier.result()

    async def expand(self, files: Sequence[InputFile], config: InferConfig) -> Sources:
        """Expands files into their pages and regions.

        Raises:
          RequestError: they are too many.
        """
        paged = [(i, file) for i, file in enumerate(files) if may_have_pages(file.name)]
        counted = await self.queue.decode(
            [Source(file.path) for _, file in paged], CountOptions()
        )
        counts = [
            (i, file.name, result)
            for (i, file), result in zip(paged, counted, strict=True)
        ]
        sources = make_sources(files, counts, config.page_range, config.regions)
        if len(sources) > self._max_pages:
            raise RequestError(
                413,
                f"{len(sources):,} pages and regions; expected at most "
                f"{self._max_pages:,} in a request: ask for some, as with pages=1-10",
            )
        return sources

    async def preprocess(
        self, source: Source, options: WorkOptions
    ) -> PreprocessedFile:
        """Has one source decoded."""
        (file,) = await self.queue.decode([source], options)
        return file

    def derive(self, classifier: "Classifier", config: InferConfig) -> "Classifier":
        """Returns the classifier with the classes and threshold of a request.

        Raises:
          RequestError: the model lacks a class, or cannot read numbers.
        """
        try:
            return self._derive(
                classifier, config.classes, config.unsure_below, config.layout
            )
        except UsageError as error:
            raise RequestError(400, describe_error(error)) from error

    def close(self) -> None:
        """Ends the threads and processes."""
        self._characters.close()
        self._numbers.close()
        self.queue.close()


def _derive_classifier(
    classifier: "Classifier",
    classes: str | None,
    unsure_below: float | None,
    layout: str,
) -> "Classifier":
    derived = classifier.restricted_to(classes)
    if unsure_below is not None:
        derived = copy.copy(derived)
        derived.unsure_below = derived.string_unsure_below = unsure_below
    check_class_names(derived, layout)
    return derived


def classify_characters(works: Sequence[ReadWork]) -> list[Any]:
    """Classifies the characters of several requests together.

    Returns:
      For each request, a list of one prediction per source.
    """
    results: list[Any] = [None] * len(works)
    for classifier, indices in _group(works).items():
        sources = [source for i in indices for source in works[i].sources]
        files = [file for i in indices for file in works[i].files]
        predictions = iter(classifier.classify([s.path for s in sources], files))
        for i in indices:
            results[i] = [[next(predictions)] for _ in works[i].sources]
    return results


def classify_numbers(works: Sequence[ReadWork]) -> list[Any]:
    """Reads the numbers of several requests, one after the other."""
    return [
        work.classifier.classify_lines(work.sources, work.files, work.pattern)
        for work in works
    ]


def _group(works: Sequence[ReadWork]) -> dict["Classifier", list[int]]:
    groups: dict[Classifier, list[int]] = {}
    for i, work in enumerate(works):
        groups.setdefault(work.classifier, []).append(i)
    return groups

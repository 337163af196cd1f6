"""Decodes and reads sources in batches: files, pages and regions."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cnn.config import InferConfig
from cnn.image_files.decode_pool import DecodePool
from cnn.image_files.label_table import FindLabel
from cnn.image_files.listing import InputFile
from cnn.image_files.source_batches import decode_in_batches
from cnn.inference.schema import Row, Schema
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.pipeline import PreprocessedFile
from cnn.preprocessing.source import Layout, ReadOptions, Source

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction
    from cnn.number_prediction import NumberPrediction


class ReadSettings(NamedTuple):
    """What of a run's settings decides how a source is read.

    Attributes:
      layout: what is expected in a picture.
      pattern: what is known of the numbers.
    """

    layout: Layout
    pattern: NumberPattern

    @classmethod
    def of(cls, config: InferConfig) -> "ReadSettings":
        """Returns the settings of a run."""
        return cls(config.layout, config.number_pattern)


class SourceResult(NamedTuple):
    """What was read of a source, and its label.

    Attributes:
      file: the file.
      source: the file, or a page or region of it.
      predictions: one, or with the layout `page` one per number and at least one.
      label: name of the true class, or the true number, empty if it is unknown.
    """

    file: InputFile
    source: Source
    predictions: "list[Prediction] | list[NumberPrediction]"
    label: str

    def make_rows(self, schema: Schema) -> list[Row]:
        """Makes the rows of the predictions."""
        return [
            schema.make_row(self.file, prediction, self.label, self.source)
            for prediction in self.predictions
        ]


def predict_in_batches(
    sources: Iterable[tuple[InputFile, Source]],
    pool: DecodePool,
    classifier: "Classifier",
    find_label: FindLabel | None,
    settings: ReadSettings,
    batch_size: int,
) -> Iterator[list[SourceResult]]:
    """Decodes and reads sources, and yields their results in batches.

    Args:
      sources: consumed lazily.
      pool: processes that decode.
      classifier: reads.
      find_label: finds labels, or None without any.
      settings: how sources are read.
      batch_size: largest number of sources per batch.
    """
    options = ReadOptions(classifier.preprocessing, settings.layout)
    read = _make_reader(classifier, settings)
    for batch in decode_in_batches(sources, pool, options, batch_size):
        predictions = read([source for _, source, _ in batch], [f for *_, f in batch])
        yield [
            SourceResult(file, source, of_source, _label_of(file, source, find_label))
            for (file, source, _), of_source in zip(batch, predictions, strict=True)
        ]


def _make_reader(
    classifier: "Classifier", settings: ReadSettings
) -> Callable[[list[Source], list[PreprocessedFile]], list]:
    """Returns the function that reads a batch of preprocessed sources."""

    def read_characters(sources: list[Source], files: list[PreprocessedFile]) -> list:
        paths = [source.path for source in sources]
        return [[prediction] for prediction in classifier.classify(paths, files)]

    def read_numbers(sources: list[Source], files: list[PreprocessedFile]) -> list:
        return classifier.classify_lines(sources, files, settings.pattern)

    return read_characters if settings.layout == "character" else read_numbers


def _label_of(file: InputFile, source: Source, find_label: FindLabel | None) -> str:
    if find_label is None:
        return ""
    region = source.region.name if source.region else ""
    return find_label(file.name, source.page or 1, region)

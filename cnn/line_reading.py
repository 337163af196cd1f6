"""Reads numbers in images, by a classifier of characters."""

import abc
import functools
from collections.abc import Sequence

import numpy as np

from cnn.decoding import ANY_NUMBER, PathWeights, Reading
from cnn.number_pattern import NumberPattern
from cnn.number_prediction import (
    NumberPrediction,
    make_pattern,
    predict_numbers,
    preprocess_number_image,
    read_lines,
)
from cnn.page_region import Region
from cnn.preprocessing.image_source import ImageLike
from cnn.preprocessing.pipeline import PreprocessedFile
from cnn.preprocessing.source import Layout, Source
from cnn.preprocessing.text_lines import TextLine


class LineReader(abc.ABC):
    """Methods of `Classifier` that read numbers.

    Attributes:
      class_names: the name of each class.
      preprocessing: a key of `pipeline.PREPROCESSING`.
      string_unsure_below: confidence threshold for whole numbers, in [0, 1].
      string_weights: weights by which the pieces of a number are put together.
    """

    class_names: tuple[str, ...]
    preprocessing: str
    string_unsure_below: float
    string_weights: PathWeights

    @abc.abstractmethod
    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Computes the probability of each class of images `(N, 28, 28)`."""

    def read_line(
        self,
        image: ImageLike,
        length: int | str | None = None,
        pattern: str | None = None,
        separators: str | None = None,
        page: int | None = None,
        region: str | Region | None = None,
    ) -> NumberPrediction:
        """Reads the number in an image of one line.

        Args:
          image: as for `read_character`.
          length: number of digits, or a range of them like "8-10". None is any.
          pattern: its digits and separators, like "dd.dd.dddd". None is any.
          separators: the separators that are read, among `.,-/:`.
          page: number of the page of a file, from 1. None is the first one.
          region: "LEFT,TOP,RIGHT,BOTTOM" in fractions of the page. None is all of it.

        Returns:
          The number. Its status is `blank` without any, `unreadable` without an image.

        Example:
          >>> classifier = cnn.Classifier.load()  # doctest: +SKIP
          >>> classifier.read_line("amount.png").prediction  # doctest: +SKIP
          '0427'
        """
        known = make_pattern(length, pattern, separators)
        (number,) = self._read_image(image, "line", known, page, region)
        return number

    def read_page(
        self,
        image: ImageLike,
        length: int | str | None = None,
        pattern: str | None = None,
        separators: str | None = None,
        page: int | None = None,
        region: str | Region | None = None,
    ) -> list[NumberPrediction]:
        """Reads all numbers of a page.

        Args:
          image: as for `read_line`, like the others.
          length: number of digits of each.
          pattern: digits and separators of each.
          separators: the separators that are read.
          page: number of the page of a file.
          region: the part of the page to read.

        Returns:
          The numbers from top to bottom, and from left to right in each line. None
          without any; for a file that is no image, one whose status is `unreadable`.
        """
        known = make_pattern(length, pattern, separators)
        numbers = self._read_image(image, "page", known, page, region)
        return [number for number in numbers if number.status != "blank"]

    def _read_image(
        self,
        image: ImageLike,
        layout: Layout,
        pattern: NumberPattern,
        page: int | None,
        region: str | Region | None,
    ) -> list[NumberPrediction]:
        source, file = preprocess_number_image(
            image, self.preprocessing, layout, page, region
        )
        return self.classify_lines([source], [file], pattern)[0]

    def classify_lines(
        self,
        sources: Sequence[Source],
        preprocessed: Sequence[PreprocessedFile],
        pattern: NumberPattern = ANY_NUMBER,
    ) -> list[list[NumberPrediction]]:
        """Reads the numbers of preprocessed sources.

        Args:
          sources: files, pages or regions.
          preprocessed: the result of `pipeline.preprocess_sources` for each.
          pattern: what is known of the numbers.

        Returns:
          The numbers of each source, in order. A source without any has one that says
          so.
        """
        read = functools.partial(self.read_lines, pattern=pattern)
        return predict_numbers(sources, preprocessed, read, self.string_unsure_below)

    def read_lines(
        self, lines: Sequence[TextLine], pattern: NumberPattern = ANY_NUMBER
    ) -> list[Reading]:
        """Reads text lines, whose pieces go through the network together.

        Args:
          lines: numbers, from `cnn.preprocessing.pipeline.preprocess_sources`.
          pattern: what is known of the numbers.

        Returns:
          One `Reading` per line, in order.
        """
        return read_lines(
            lines, self.predict_proba, self.class_names, pattern, self.string_weights
        )

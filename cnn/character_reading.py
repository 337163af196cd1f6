"""Reads characters in images, by a network that gives their probabilities."""

import abc
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from cnn.candidate_mixture import combine_candidates
from cnn.page_region import Region
from cnn.prediction import Prediction
from cnn.preprocessing import pipeline
from cnn.preprocessing.image_source import ImageLike, make_source
from cnn.preprocessing.source import ReadOptions


class CharacterReader(abc.ABC):
    """Methods of `Classifier` that read characters.

    Attributes:
      class_names: the name of each class.
      preprocessing: a key of `pipeline.PREPROCESSING`.
      unsure_below: confidence threshold, in [0, 1].
    """

    class_names: tuple[str, ...]
    preprocessing: str
    unsure_below: float

    @abc.abstractmethod
    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Computes the probability of each class of images `(N, 28, 28)`."""

    def read_character(
        self,
        image: ImageLike,
        page: int | None = None,
        region: str | Region | None = None,
    ) -> Prediction:
        """Reads the character in an image of any size, colors and polarity.

        Args:
          image: a path or URI, the content of a file, an image of Pillow, or pixels:
            `(height, width)`, `(height, width, 3)` of red, green and blue, or
            `(height, width, 4)` with alpha, as integers in [0, 255] or floats in
            [0, 1].
          page: number of the page of a file, from 1. None is the first one.
          region: "LEFT,TOP,RIGHT,BOTTOM" in fractions of the page. None is all of it.

        Returns:
          The same as `predict_files`, with the path of a file, or an empty one. The
          status is `blank` without ink, and `unreadable` for a file that is no image.

        Raises:
          ValueError: the pixels have another shape or range.

        Example:
          >>> classifier = cnn.Classifier.load()  # doctest: +SKIP
          >>> classifier.read_character("digit.png").prediction  # doctest: +SKIP
          '7'
        """
        source = make_source(image, page, region)
        files = pipeline.preprocess_sources([source], ReadOptions(self.preprocessing))
        (prediction,) = self.classify([source.path], files)
        return prediction

    def predict_files(
        self, paths: str | Path | Iterable[str | Path]
    ) -> list[Prediction]:
        """Classifies image files of any size, colors and polarity.

        Args:
          paths: the files, or one file.

        Returns:
          One `Prediction` per path, in the order of `paths`. A file that cannot be read
          has the status `unreadable`.
        """
        if isinstance(paths, str | Path):
            paths = [paths]
        names = [str(path) for path in paths]
        preprocessed = pipeline.preprocess_files(names, self.preprocessing)
        return self.classify(names, preprocessed)

    def classify(
        self, paths: Sequence[str], preprocessed: Sequence[pipeline.PreprocessedFile]
    ) -> list[Prediction]:
        """Classifies preprocessed files, each by the mixture of its candidates.

        Args:
          paths: the names of the files.
          preprocessed: the files, from `cnn.preprocessing.pipeline.preprocess_files`.
            A file may have several candidates, if its segmentation is ambiguous.

        Returns:
          One `Prediction` per file, in order.
        """
        probabilities = self._score_candidates(preprocessed)
        predictions = []
        end = 0
        for path, file in zip(paths, preprocessed, strict=True):
            start = end
            end += file.num_candidates
            of_file = probabilities[start:end]
            predictions.append(self._predict_file(path, file, of_file))
        return predictions

    def _score_candidates(
        self, preprocessed: Sequence[pipeline.PreprocessedFile]
    ) -> np.ndarray:
        """Computes the probabilities of the candidates of all files, one by one."""
        candidates = [f.candidates for f in preprocessed if f.candidates is not None]
        if not candidates:
            return np.zeros((0, len(self.class_names)), np.float32)
        return self.predict_proba(np.concatenate(candidates))

    def _predict_file(
        self, path: str, file: pipeline.PreprocessedFile, probabilities: np.ndarray
    ) -> Prediction:
        """Predicts one file by its candidates' `float32 (N, num_classes)`."""
        if file.candidates is None:
            return Prediction(path, "", 0.0, file.status, file.detail)
        weights = file.weights
        if weights is None:
            weights = np.ones(file.num_candidates, np.float32)
        mixture = combine_candidates(probabilities, weights)
        label = int(mixture.probabilities.argmax())
        confidence = float(mixture.probabilities[label])
        is_unsure = confidence < self.unsure_below
        return Prediction(
            path,
            prediction=self.class_names[label],
            confidence=confidence,
            status="unsure" if is_unsure else "ok",
            detail=self._explain_unsure(file.detail) if is_unsure else file.detail,
            probabilities=mixture.probabilities,
            image=file.candidates[mixture.best],
            candidate=mixture.best,
        )

    def _explain_unsure(self, detail: str) -> str:
        reason = f"confidence below {self.unsure_below:.4f}"
        if not detail:
            return reason
        return f"{reason}; {detail}"

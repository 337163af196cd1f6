"""Classifies images of handwritten characters, from arrays or from files.

Example:
  >>> import cnn
  >>> classifier = cnn.Classifier.load()  # doctest: +SKIP
  >>> classifier.predict_files(["digit.png"])[0].prediction  # doctest: +SKIP
  '7'
"""

import copy
import sys
from pathlib import Path

import numpy as np

from cnn import forward, keras_h5, models
from cnn.class_selection import keep_outputs, select_classes
from cnn.decoding import PathWeights, weights_from_metadata
from cnn.folder_reading import FolderReader
from cnn.keras_h5 import Metadata, ModelFileError, Params
from cnn.prediction import Prediction
from cnn.preprocessing import pipeline

__all__ = ["Classifier", "Prediction"]

# Confidence threshold for numbers where the model has none of its own.
_STRING_UNSURE_BELOW = 0.9


class Classifier(FolderReader):
    """A trained network, with the preprocessing and the classes of its training data.

    Attributes:
      params: parameters of `cnn.model.CNN`, by layer.
      metadata: the description of the model, from its file.
      class_names: the name of each label.
      preprocessing: how an image file becomes the network's input: a name of
        `cnn.preprocessing.pipeline.PREPROCESSING`.
      unsure_below: confidence threshold, in [0, 1]. A prediction below it is `unsure`.
      string_unsure_below: the same for a whole number.
      string_weights: weights by which the pieces of a number are put together.
      predict_files, read_character: see `cnn.character_reading`.
      read_line, read_page: see `cnn.line_reading`.
      read_folder: see `cnn.folder_reading`.

    Example:
      >>> classifier = Classifier.load()  # doctest: +SKIP
      >>> images = np.zeros((5, 28, 28), np.uint8)
      >>> classifier.predict_proba(images).shape  # doctest: +SKIP
      (5, 10)
    """

    def __init__(
        self, params: Params, metadata: Metadata, unsure_below: float | None = None
    ) -> None:
        """Wraps parameters that are in memory. Use `load` for files.

        Args:
          params: of `cnn.model.CNN`: layer name → `{"kernel": ..., "bias": ...}`.
          metadata: `class_names`, a list of str, and optionally `preprocessing`
            (default "mnist") and `unsure_below` (default 0).
          unsure_below: confidence threshold, in [0, 1], instead of that of `metadata`.

        Raises:
          ModelFileError: the `preprocessing` or a weight of the metadata is unknown.
        """
        self.params = params
        self.metadata = metadata
        self.class_names: tuple[str, ...] = tuple(metadata["class_names"])
        self.preprocessing: str = metadata.get("preprocessing", "mnist")
        self.unsure_below: float = metadata.get("unsure_below", 0.0)
        self.string_unsure_below: float = metadata.get(
            "string_unsure_below", _STRING_UNSURE_BELOW
        )
        if unsure_below is not None:
            self.unsure_below = self.string_unsure_below = unsure_below
        self.string_weights = _read_string_weights(metadata)
        # A list: the value comes from JSON, and may not be hashable.
        if self.preprocessing not in list(pipeline.PREPROCESSING):
            raise ModelFileError(
                f"the model's images are made by {self.preprocessing!r}, "
                "which this version does not know"
            )

    @classmethod
    def load(
        cls, path: str | Path | None = None, unsure_below: float | None = None
    ) -> "Classifier":
        """Loads a model file (.h5), or the newest checkpoint in a training workdir.

        Args:
          path: as for `cnn.models.find_model`. Without one, a line on stderr says
            which model it is.
          unsure_below: confidence threshold, in [0, 1], instead of the model's own.

        Raises:
          cnn.Error: the problem with the model, in one line.
        """
        forward.check_network()
        found = models.find_model(path)
        if path is None:
            print(f"model: {models.describe_default()}", file=sys.stderr)
        load_model = _load_workdir if found.is_dir() else keras_h5.load
        params, metadata = load_model(found)
        return cls(params, metadata, unsure_below)

    def restricted_to(self, classes: str | None) -> "Classifier":
        """Returns a classifier that reads some of the classes only.

        Its confidence is the probability of a class among those.

        Args:
          classes: as for `cnn.class_selection.select_classes`. None keeps all.

        Raises:
          UsageError: the model lacks one of them, or they are fewer than two.
        """
        if classes is None:
            return self
        labels = select_classes(classes, self.class_names)
        restricted = copy.copy(self)
        restricted.params = keep_outputs(self.params, labels)
        restricted.class_names = tuple(self.class_names[label] for label in labels)
        names = list(restricted.class_names)
        restricted.metadata = self.metadata | {"class_names": names}
        return restricted

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Computes the logits of images.

        Args:
          images: `(N, 28, 28)` or `(N, 28, 28, 1)`, light ink on a dark background, as
            integers in [0, 255] or floats in [0, 1].

        Returns:
          `float32 (N, num_classes)`.

        Raises:
          ValueError: the images have another shape or range.
        """
        logits, _ = self._forward(images)
        return logits

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Computes the probability of each class.

        Args:
          images: as for `logits`.

        Returns:
          `float32 (N, num_classes)` in [0, 1]. The sum of each row is 1.

        Raises:
          ValueError: the images have another shape or range.
        """
        _, probabilities = self._forward(images)
        return probabilities

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Computes the most probable label of each image.

        Args:
          images: as for `logits`.

        Returns:
          `int32 (N,)`, indices into `class_names`.

        Raises:
          ValueError: the images have another shape or range.
        """
        logits = self.logits(images)
        labels: np.ndarray = logits.argmax(-1).astype(np.int32)
        return labels

    def _forward(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return forward.forward_in_batches(self.params, images, len(self.class_names))


def _read_string_weights(metadata: Metadata) -> PathWeights:
    """Returns the weights by which the pieces of a number are put together."""
    try:
        return weights_from_metadata(metadata.get("string_weights"))
    except ValueError as error:
        raise ModelFileError(f"the model's string_weights: {error}") from error


def _load_workdir(folder: Path) -> tuple[Params, Metadata]:
    """Loads the averaged parameters of the newest checkpoint, and calibrates them."""
    # Imported late: Orbax takes a second to import.
    from cnn import calibration, checkpoint

    checkpoints = folder / "checkpoints"
    epoch = checkpoint.latest_epoch(checkpoints)
    if epoch is None:
        raise checkpoint.CheckpointError(
            f"{folder}: a folder without checkpoints; "
            "expected a model file or a workdir of bin/train"
        )
    state, metadata = checkpoint.restore(checkpoints, epoch)
    params = state["ema_params"]
    keras_h5.check_metadata(folder, metadata, params["dense_1"]["bias"].size)
    # The parameters of a model file are scaled already, those of a checkpoint are not.
    temperature = metadata.get("temperature", 1.0)
    return calibration.apply_temperature(params, temperature), metadata

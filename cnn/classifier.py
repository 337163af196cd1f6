"""The door for Python: a trained network that reads arrays and files.

Example:
  >>> from cnn.classifier import Classifier
  >>> classifier = Classifier.load("mnist_model.h5")  # doctest: +SKIP
  >>> classifier.predict_files(["digit.png"])[0].prediction  # doctest: +SKIP
  '7'
"""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cnn import keras_h5
from cnn.model import CNN
from cnn.preprocessing import pipeline

# XLA compiles for one number of pictures; the last of them are filled up with blank ones. It is a constant,
# since a picture's sums may be added in another order beside more or fewer pictures.
_BATCH_SIZE = 256


class Prediction(NamedTuple):
    """What was read in a file.

    Attributes:
      path: of the file.
      prediction: the name of the likeliest class; empty without a picture with ink.
      confidence: its probability, in [0, 1]; 0 without a prediction.
      status: `ok`, `unsure` (a prediction of low confidence; perhaps no character at all), `blank` (no ink
        found) or `unreadable` (no picture).
      detail: why it is not `ok`, or what else is in the picture, in one line.
      probabilities: `float32 (num_classes,)`, or None without a prediction.
      picture: `float32 (28, 28, 1)` that the network saw, or None.
      way: which of the pictures that were made of the file this is, counted from 0.
    """

    path: str
    prediction: str
    confidence: float
    status: str
    detail: str
    probabilities: np.ndarray | None = None
    image: np.ndarray | None = None
    candidate: int = 0


class Classifier:
    """A trained network and what it was trained for.

    Attributes:
      params: of `cnn.model.CNN`.
      metadata: what the model file says about itself.
      class_names: what each label stands for.
      preprocessing: how files are made into pictures, in the words of `cnn.images`.
      unsure_below: the confidence below which a reading is `unsure`, in [0, 1].
    """

    def __init__(self, params: Any, metadata: dict[str, Any]) -> None:
        """Takes parameters as they are; use `load` for files."""
        self.params, self.metadata = params, metadata
        self.class_names = tuple(metadata["class_names"])
        self.preprocessing = metadata.get("preprocessing", "mnist")
        self.unsure_below = metadata.get("unsure_below", 0.0)
        if self.preprocessing not in list(
            pipeline.PREPROCESSING
        ):  # It may be of any type.
            raise keras_h5.ModelFileError(
                f"the model's pictures are made by {self.preprocessing!r}, which this version does not know"
            )

    @classmethod
    def load(cls, path: str | Path, unsure_below: float | None = None) -> "Classifier":
        """Opens a model file (.h5), or the newest checkpoint in a training workdir.

        Args:
          path: of the file or of the folder.
          unsure_below: confidence threshold in [0, 1]; by default that of the file.

        Raises:
          cnn.Error: what is wrong with it, in one line.
        """
        if Path(path).is_dir():
            classifier = cls(*_load_workdir(Path(path)))
        else:
            classifier = cls(*keras_h5.load(path))
        if unsure_below is not None:
            classifier.unsure_below = unsure_below
        return classifier

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """Computes logits, in batches of one size, so that any number compiles once and none changes another.

        Args:
          pictures: `(N, 28, 28)` or `(N, 28, 28, 1)`; integers from 0 to 255, or floats from 0 to 1.

        Returns:
          `float32 (N, num_classes)`.

        Raises:
          ValueError: of another shape or range.
        """
        return self._computed(pictures)[0]

    def _computed(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Computes logits and probabilities."""
        pictures = _as_batch(pictures)
        forward = _jitted_forward(len(self.class_names))
        none = np.zeros((0, len(self.class_names)), np.float32)
        results: list[Any] = [(none, none)]
        for start in range(0, len(pictures), _BATCH_SIZE):
            batch = pictures[start : start + _BATCH_SIZE]
            count = len(batch)
            if count < _BATCH_SIZE:
                batch = np.concatenate(
                    [
                        batch,
                        np.zeros(
                            (_BATCH_SIZE - count, *pipeline.IMAGE_SHAPE), batch.dtype
                        ),
                    ]
                )
            results.append(
                tuple(np.asarray(part)[:count] for part in forward(self.params, batch))
            )
        logits, probabilities = (
            np.concatenate(parts) for parts in zip(*results, strict=True)
        )
        return logits, probabilities

    def predict_proba(self, pictures: np.ndarray) -> np.ndarray:
        """Computes the probability of each class; arguments as for `logits`, values in [0, 1]."""
        return self._computed(pictures)[1]

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the likeliest label of each picture, `int32 (N,)`; arguments as for `logits`."""
        return self.logits(pictures).argmax(-1).astype(np.int32)

    def predict_files(
        self, paths: str | Path | Iterable[str | Path]
    ) -> list[Prediction]:
        """Reads image files of any size, colours and polarity.

        Args:
          paths: of the files, or of one.

        Returns:
          A `Reading` for each path, in their order; a file that cannot be read has one too.
        """
        names = (
            [str(paths)]
            if isinstance(paths, str | Path)
            else [str(path) for path in paths]
        )
        return self.classify(
            names, pipeline.preprocess_files(names, self.preprocessing)
        )

    def classify(
        self, paths: list[str], decoded: list[pipeline.PreprocessedFile]
    ) -> list[Prediction]:
        """Reads what `images.load_many` has decoded from `paths`; of several ways, the surest counts."""
        seen = [d.candidates for d in decoded if d.candidates is not None]
        probabilities = (
            self.predict_proba(np.concatenate(seen)) if seen else np.zeros((0, 1))
        )
        surest, labels = (
            probabilities.max(-1).tolist(),
            probabilities.argmax(-1).tolist(),
        )
        readings, at = [], 0
        for path, d in zip(paths, decoded, strict=True):
            if d.candidates is None:
                readings.append(Prediction(path, "", 0.0, d.status, d.detail))
                continue
            ways = range(at, at + len(d.candidates))
            best = max(ways, key=surest.__getitem__)
            picture = d.candidates[best - at]
            readings.append(
                self._reading(
                    path,
                    d,
                    labels[best],
                    surest[best],
                    probabilities[best],
                    picture,
                    best - at,
                )
            )
            at = ways.stop
        return readings

    def _reading(
        self,
        path: str,
        decoded: pipeline.PreprocessedFile,
        label: int,
        confidence: float,
        probabilities: np.ndarray,
        picture: np.ndarray,
        way: int,
    ) -> Prediction:
        status, detail = "ok", decoded.detail
        if confidence < self.unsure_below:
            status = "unsure"
            detail = "; ".join(
                filter(
                    None, [f"confidence below {self.unsure_below:.4f}", decoded.detail]
                )
            )
        return Prediction(
            path,
            self.class_names[label],
            confidence,
            status,
            detail,
            probabilities,
            picture,
            way,
        )


def _as_batch(pictures: np.ndarray) -> np.ndarray:
    pictures = np.asarray(pictures)
    if pictures.shape[1:] not in (pipeline.IMAGE_SHAPE, pipeline.IMAGE_SHAPE[:2]):
        raise ValueError(
            f"pictures: expected shape (N, 28, 28) or (N, 28, 28, 1), got {pictures.shape}"
        )
    whole = np.issubdtype(pictures.dtype, np.integer)
    high = 255 if whole else 1
    if pictures.size and not -1e-6 <= pictures.min() <= pictures.max() <= high + 1e-6:
        found = f"{pictures.min()} to {pictures.max()} as {pictures.dtype}"
        raise ValueError(
            f"pictures: expected integers from 0 to 255 or floats from 0 to 1, got {found}"
        )
    return pictures.astype(np.uint8 if whole else np.float32).reshape(
        -1, *pipeline.IMAGE_SHAPE
    )


@functools.cache
def _jitted_forward(num_classes: int) -> Callable:
    """Returns the jitted network, from pictures to logits and probabilities, one for all of its kind."""
    model = CNN(num_classes)

    @jax.jit
    def forward(params: Any, pictures: jax.Array) -> tuple[jax.Array, jax.Array]:
        if pictures.dtype == jnp.uint8:
            pictures = pictures.astype(jnp.float32) / 255
        logits: Any = model.apply({"params": params}, pictures)
        return logits, jax.nn.softmax(logits)

    return forward


def _load_workdir(folder: Path) -> tuple[Any, dict[str, Any]]:
    from cnn import (
        calibration,  # Orbax takes a second to import.
        checkpoint,
    )

    epoch = checkpoint.latest_epoch(folder / "checkpoints")
    if epoch is None:
        raise checkpoint.CheckpointError(
            f"{folder}: a folder without checkpoints; --model needs a model file or a workdir of bin/train"
        )
    state, about = checkpoint.restore(folder / "checkpoints", epoch)
    keras_h5.check_metadata(folder, about, state["ema_params"]["dense_1"]["bias"].size)
    # A checkpoint holds what training goes on from; a model file has the temperature in its weights.
    return calibration.apply_temperature(
        state["ema_params"], about.get("temperature", 1.0)
    ), about

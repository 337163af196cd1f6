"""What the classifier says of one file."""

from typing import NamedTuple

import numpy as np


class Prediction(NamedTuple):
    """The result for one file.

    Attributes:
      path: path of the file, or empty for an image from memory.
      prediction: the name of the most probable class, or empty if the status is `blank`
        or `unreadable`.
      confidence: the probability of that class, in [0, 1], or 0 without a prediction.
      status: `ok`, `unsure` (a confidence below the threshold, perhaps no character at
        all), `blank` (an image without ink) or `unreadable` (not an image).
      detail: one line on why the status is not `ok`, or on other characters in the
        image.
      probabilities: `float32 (num_classes,)` in [0, 1], or None without a prediction.
      image: the input of the network, `float32 (28, 28, 1)` in [0, 1], or None without
        a prediction.
      candidate: index of `image` among the candidates that preprocessing made of the
        file, counted from 0.
    """

    path: str
    prediction: str
    confidence: float
    status: str
    detail: str
    probabilities: np.ndarray | None = None
    image: np.ndarray | None = None
    candidate: int = 0

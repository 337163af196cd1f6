"""Chooses the segmentation of each labeled picture that a network learns from.

Preprocessing may take a stem of a letter, as of h or j, for a printed line. It then
returns both ways, and a trained network decides. There is none yet that reads the
letter, but there are other pictures of its class.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from cnn.preprocessing.preprocessed_file import PreprocessedFile

# Blur before two characters are compared, in pixels. It makes the comparison
# insensitive to small displacements of the strokes.
_BLUR = 1.5
# A segmentation is as plausible as its mean similarity to so many of the pictures that
# are most like it: a class may be written in several ways.
_NUM_NEIGHBORS = 3
# Pictures of a class that a segmentation is compared with, at most.
_MAX_COMPARED = 200


def choose_candidates(
    files: Sequence[PreprocessedFile], labels: np.ndarray
) -> list[int]:
    """Chooses the candidate of each picture that is most like others of its class.

    Args:
      files: pictures, each with at least one candidate.
      labels: `int (N,)`, the class of each.

    Returns:
      The index of a candidate for each picture. It is the most plausible one where all
      show the same, or where the picture is the only one of its class.
    """
    chosen = [most_plausible(file) for file in files]
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label).tolist()
        compared = [_describe(files[i]) for i in of_class[:_MAX_COMPARED]]
        for number, i in enumerate(of_class):
            if files[i].num_candidates > 1:
                others = [c for n, c in enumerate(compared) if n != number]
                chosen[i] = _choose(files[i], others, chosen[i])
    return chosen


def most_plausible(file: PreprocessedFile) -> int:
    """Returns the index of the candidate with the highest prior probability."""
    return 0 if file.weights is None else int(file.weights.argmax())


def _describe(file: PreprocessedFile) -> np.ndarray:
    """Returns the features of all candidates of a picture, `float32 (N, 784)`.

    They are unit vectors, so that their scalar products are normalized correlations.
    """
    assert file.candidates is not None
    blurred = [cv2.GaussianBlur(image, (0, 0), _BLUR) for image in file.candidates]
    features = np.array(blurred, np.float32).reshape(len(blurred), -1)
    unit_vectors: np.ndarray = features / np.linalg.norm(
        features, axis=1, keepdims=True
    )
    return unit_vectors


def _choose(file: PreprocessedFile, others: Sequence[np.ndarray], default: int) -> int:
    """Returns the candidate most like its nearest pictures among the others."""
    if not others:
        return default
    features = _describe(file)
    # Of the other pictures, too, any candidate may be the right one.
    similarities = np.stack([(features @ other.T).max(1) for other in others], axis=1)
    nearest = np.sort(similarities, axis=1)[:, -_NUM_NEIGHBORS:]
    scores = nearest.mean(1)
    # Candidates that show the same differ by rounding.
    is_best = scores >= scores.max() - 1e-4
    return default if is_best[default] else int(is_best.argmax())

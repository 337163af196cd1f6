"""Combines the readings of one image by different segmentations to one prediction.

The image is a mixture: one of its segmentations is right, and the others show something
else. So if two segmentations look like different characters, both are doubtful.
"""

from typing import NamedTuple

import numpy as np

# Largest probability that a segmentation shows a character at all. The network cannot
# be surer of this: what remains of a 4 without its bar is a perfect 1.
_MAX_CHARACTER_PROBABILITY = 0.98
# Smallest such probability, so that the odds are above 0.
_MIN_CHARACTER_PROBABILITY = 1e-6


class Mixture(NamedTuple):
    """The prediction for one image.

    Attributes:
      probabilities: `float32 (num_classes,)`, with a sum of 1.
      best: index of the segmentation that contributes most to the most probable class.
    """

    probabilities: np.ndarray
    best: int


def combine_candidates(probabilities: np.ndarray, weights: np.ndarray) -> Mixture:
    """Averages the probabilities of segmentations, of which exactly one is right.

    Args:
      probabilities: `float32 (N, num_classes)`, one row per segmentation.
      weights: `float32 (N,)`, relative prior probabilities, greater than 0.

    Example:
      >>> sure_of_0, sure_of_1 = np.float32([[0.99, 0.01], [0.01, 0.99]])
      >>> of_no_class = np.float32([0.5, 0.5])
      >>> mixture = combine_candidates(np.stack([sure_of_0, of_no_class]), np.ones(2))
      >>> mixture.probabilities.round(2)
      array([0.99, 0.01], dtype=float32)
      >>> mixture = combine_candidates(np.stack([sure_of_0, sure_of_1]), np.ones(2))
      >>> mixture.probabilities.round(2)
      array([0.5, 0.5], dtype=float32)
    """
    if len(probabilities) == 1:
        return Mixture(probabilities[0], best=0)
    posterior = candidate_posterior(probabilities, weights)
    mixed = posterior @ probabilities
    contributions = posterior * probabilities[:, mixed.argmax()]
    return Mixture(mixed.astype(np.float32), best=int(contributions.argmax()))


def candidate_posterior(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Computes how probably each segmentation of an image is the right one.

    The network learned a uniform output for images of no character, so its highest
    probability tells how probably a segmentation shows a character. The odds of that,
    times the weight of the segmentation, are its posterior odds.

    Args:
      probabilities: `float (..., N, num_classes)`.
      weights: `float (..., N)`, relative prior probabilities. At least one is above 0.

    Returns:
      `float64 (..., N)`, with a sum of 1.
    """
    chance = 1 / probabilities.shape[-1]
    highest = probabilities.max(-1).astype(float)
    is_character = (highest - chance) / (1 - chance)
    is_character = np.clip(
        is_character, _MIN_CHARACTER_PROBABILITY, _MAX_CHARACTER_PROBABILITY
    )
    posterior: np.ndarray = weights * is_character / (1 - is_character)
    return posterior / posterior.sum(-1, keepdims=True)

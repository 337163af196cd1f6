"""Fits the weights of `cnn.decoding` on simulated numbers that were not trained on.

The paths of a lattice are a conditional random field, whose weights maximize the
probability of the right texts. The confidence of the best text is then calibrated by
logistic regression.

Source: Lafferty et al., "Conditional Random Fields", 2001.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from cnn.decoding import PathWeights, Reading, decode_line
from cnn.decoding.arc_scores import (
    CHARACTER_TERMS,
    MARK_TERMS,
    ArcScores,
    measure_characters,
    measure_marks,
)
from cnn.decoding.confidence import TextEvidence, arc_posterior
from cnn.decoding.number_states import NumberStates, make_states
from cnn.decoding.path_sums import (
    relative_weights,
    sum_paths,
)
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import SEPARATORS, Lattice, TextLine

# Terms of the score of a path, in the order of the fitted vector.
PATH_TERMS = (*CHARACTER_TERMS, *MARK_TERMS)
# Terms of the confidence of a text.
CONFIDENCE_TERMS = (*TextEvidence._fields, "confidence")
# The confidence is the share without calibration.
_FIRST_CONFIDENCE = np.array([1.0, 0.0, 0.0, 0.0])
# Largest logit whose exponential is computed.
_MAX_MARGIN = 500.0
# Standard deviation of the weights around the first ones, of their normal prior, which
# counts as one line.
_PRIOR_DEVIATION = 3.0
_MAX_ITERATIONS = 80
# Ranges of weights. Ink as high as a digit must not be passed over for the sake of
# lines with letters, nor may the shape of a separator count for nothing. Digits of
# hands that are not simulated differ more in height.
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "odds": (0.3, None),
    "log_probability": (0.5, 2.0),
    "separator_odds": (0.5, 2.0),
    "skipped_odds": (1.0, 3.0),
    "skipped": (None, -3.5),
    "height": (-2.0, None),
}
# Logarithm of a constant that is added to the share of the right text. Lines whose
# share is less, for bad ink or bad cuts, do not decide about the weights.
_LOG_UNREADABLE = float(np.log(1e-2))


class ReadLine(NamedTuple):
    """A line with the network's output for its pieces, and its text.

    Attributes:
      line: the line.
      probabilities: per lattice, `float32 (N, num_classes)`.
      text: the right text.
    """

    line: TextLine
    probabilities: tuple[np.ndarray, ...]
    text: str


class _Measured(NamedTuple):
    """A lattice with the measurements of its arcs, for the right text and for any.

    Attributes:
      lattice: arcs between cuts.
      characters: `float32 (N, num_classes, len(CHARACTER_TERMS))`.
      marks: `float64 (len(MARK_TERMS), N)`.
      log_prior: logarithm of the prior of the lattice.
      any_text: the automaton of any number.
      right_text: that of the right text.
    """

    lattice: Lattice
    characters: np.ndarray
    marks: np.ndarray
    log_prior: float
    any_text: NumberStates
    right_text: NumberStates


class _Sum(NamedTuple):
    """Logarithm of a sum over paths, and its gradient by the weights."""

    log_total: float
    gradient: np.ndarray


def fit_path_weights(
    lines: Sequence[ReadLine], class_names: Sequence[str], initial: PathWeights
) -> PathWeights:
    """Fits the weights of a path's score.

    Args:
      lines: lines that were not trained on. Those whose right text has no path, for
        lack of a cut, do not count.
      class_names: the name of each class.
      initial: weights to begin with, and the mean of the prior.
    """
    measured = [_measure(line, class_names) for line in lines]
    first = np.array([getattr(initial, name) for name in PATH_TERMS])

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        deviation = (values - first) / _PRIOR_DEVIATION
        total = float(deviation @ deviation) / 2
        gradient = deviation / _PRIOR_DEVIATION
        for lattices in measured:
            right = _sum_lattices(lattices, values, is_right=True)
            if not np.isfinite(right.log_total):
                continue
            of_any = _sum_lattices(lattices, values, is_right=False)
            log_share = right.log_total - of_any.log_total
            total -= float(np.logaddexp(log_share, _LOG_UNREADABLE))
            # The derivative of the logarithm of the share and the constant.
            counts = 1 / (1 + np.exp(_LOG_UNREADABLE - log_share))
            gradient = gradient + counts * (of_any.gradient - right.gradient)
        return total, gradient

    options = {"maxiter": _MAX_ITERATIONS}
    bounds = [_BOUNDS.get(name, (None, None)) for name in PATH_TERMS]
    optimum = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    values = dict(zip(PATH_TERMS, optimum.x.tolist(), strict=True))
    return initial._replace(**values)


def fit_confidence(
    lines: Sequence[ReadLine], class_names: Sequence[str], weights: PathWeights
) -> PathWeights:
    """Fits the coefficients of a text's confidence, by logistic regression.

    Args:
      lines: lines that were not trained on, also some without a number.
      class_names: the name of each class.
      weights: fitted weights of a path's score.
    """
    evidence, is_right = _collect_evidence(lines, class_names, weights)
    terms = np.concatenate([evidence, np.ones((len(evidence), 1))], axis=1)
    signs = np.where(is_right, 1.0, -1.0)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        deviation = (values - _FIRST_CONFIDENCE) / _PRIOR_DEVIATION
        margins = signs * (terms @ values)
        slopes = -signs / (1 + np.exp(np.clip(margins, -_MAX_MARGIN, _MAX_MARGIN)))
        total = float(np.logaddexp(0, -margins).sum() + deviation @ deviation / 2)
        return total, slopes @ terms + deviation / _PRIOR_DEVIATION

    optimum = minimize(loss, _FIRST_CONFIDENCE, jac=True, method="L-BFGS-B")
    values = dict(zip(CONFIDENCE_TERMS, optimum.x.tolist(), strict=True))
    return weights._replace(**values)


def _collect_evidence(
    lines: Sequence[ReadLine], class_names: Sequence[str], weights: PathWeights
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes lines.

    Returns:
      `float64 (M, 3)`, the evidence for each text, and `bool (M,)`, whether it is
      right. Lines without a text are left out.
    """
    evidence, is_right = [], []
    for line in lines:
        reading = decode(line, class_names, weights)
        if reading.evidence is not None:
            evidence.append(reading.evidence)
            is_right.append(reading.text == line.text)
    count = len(TextEvidence._fields)
    return np.array(evidence, float).reshape(-1, count), np.array(is_right, bool)


def decode(line: ReadLine, class_names: Sequence[str], weights: PathWeights) -> Reading:
    """Decodes a line, with the separators that are in its text."""
    separators = "".join(mark for mark in SEPARATORS if mark in line.text)
    pattern = NumberPattern(separators=separators)
    return decode_line(line.line, line.probabilities, class_names, pattern, weights)


def _measure(line: ReadLine, class_names: Sequence[str]) -> list[_Measured]:
    """Measures the arcs of a line's lattices."""
    measured = []
    for lattice, outputs, prior in zip(
        line.line.lattices, line.probabilities, line.line.weights, strict=True
    ):
        terms = measure_characters(lattice, outputs, class_names)
        characters = np.stack(
            [np.broadcast_to(term, outputs.shape) for term in terms], axis=-1
        )
        right = _states_of_text(line.text, class_names)
        measured.append(
            _Measured(
                lattice,
                characters.astype(np.float32),
                measure_marks(lattice),
                float(np.log(prior)),
                make_states(NumberPattern(), class_names, 0),
                right,
            )
        )
    return measured


def _states_of_text(text: str, class_names: Sequence[str]) -> NumberStates:
    """Makes the automaton of one text, of which nothing may be missing."""
    if not text:
        nothing = make_states(NumberPattern(), class_names, 0)
        return nothing._replace(keeps_classes=False)
    states = make_states(NumberPattern(pattern=text), class_names, 0)
    return states._replace(missing=np.zeros_like(states.missing))


def _sum_lattices(
    lattices: Sequence[_Measured], values: np.ndarray, is_right: bool
) -> _Sum:
    """Sums over the paths of all lattices: of the right text, or of any."""
    sums = [_sum_lattice(lattice, values, is_right) for lattice in lattices]
    logs = np.array([part.log_total for part in sums])
    highest = logs.max()
    if not np.isfinite(highest):
        return _Sum(-np.inf, np.zeros_like(values))
    weights = np.exp(logs - highest)
    log_total = float(highest + np.log(weights.sum()))
    gradients = np.stack([part.gradient for part in sums])
    return _Sum(log_total, weights @ gradients / weights.sum())


def _sum_lattice(measured: _Measured, values: np.ndarray, is_right: bool) -> _Sum:
    """Sums over the paths of one lattice. The gradient is the mean of their terms."""
    lattice = measured.lattice
    states = measured.right_text if is_right else measured.any_text
    weights = relative_weights(lattice, _score(measured, values))
    sums = sum_paths(lattice, weights, states)
    if not sums.total > 0:
        return _Sum(-np.inf, np.zeros_like(values))
    of_classes, of_marks = arc_posterior(lattice, weights, sums, states)
    gradient = np.concatenate(
        [
            np.einsum("nc,nck->k", of_classes, measured.characters),
            measured.marks @ of_marks,
        ]
    )
    log_total = weights.log_best + float(np.log(sums.total)) + measured.log_prior
    return _Sum(log_total, gradient)


def _score(measured: _Measured, values: np.ndarray) -> ArcScores:
    """Scores the arcs of a lattice, as `cnn.decoding.arc_scores.score_arcs`."""
    is_character = measured.lattice.is_character
    count = len(CHARACTER_TERMS)
    characters = measured.characters @ values[:count]
    marks = values[count:] @ measured.marks
    return ArcScores(
        np.where(is_character[:, None], characters, -np.inf),
        np.where(is_character, -np.inf, marks),
        np.zeros(len(marks)),
    )

"""Decodes a text line: its most probable text, under what is known of the number."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding.arc_scores import ArcScores, doubt_tall_marks, score_arcs
from cnn.decoding.confidence import (
    TextEvidence,
    label_posterior,
    share_logit,
    sigmoid,
    string_confidence,
)
from cnn.decoding.number_states import NumberStates, make_states
from cnn.decoding.path_sums import (
    PathSums,
    RelativeWeights,
    relative_weights,
    sum_paths,
)
from cnn.decoding.path_weights import DEFAULT_WEIGHTS, PathWeights
from cnn.decoding.prefix_search import Hypothesis, Step, find_texts
from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import SKIPPED, Lattice, TextLine

ANY_NUMBER = NumberPattern()

# A text that fits what is known is doubtful if all that fit are less than this fraction
# of all texts.
_MIN_FITTING = 0.02
# Smallest prior probability of a lattice, so that its logarithm is finite.
_MIN_PRIOR = 1e-12


class CharacterReading(NamedTuple):
    """One character of a number.

    Attributes:
      prediction: the name of its class, or a separator.
      confidence: its probability, in [0, 1].
      runner_up: the second most probable class, or empty for a separator.
      box: left, top, right and bottom of its ink, in pixels of the upright picture.
      arc: index of its piece in the lattice.
    """

    prediction: str
    confidence: float
    runner_up: str
    box: tuple[float, float, float, float]
    arc: int


class Reading(NamedTuple):
    """The most probable text of a text line.

    Attributes:
      text: the characters in order, empty if nothing can be read.
      confidence: the calibrated probability that the whole text is right, in [0, 1].
      characters: its characters. A separator of the pattern that is not seen is in
        `text` only.
      lattice: index of the lattice of the characters.
      detail: a remark, or empty: what was passed over, why nothing fits the pattern.
      evidence: what the confidence is computed from, or None without any class.
    """

    text: str
    confidence: float
    characters: tuple[CharacterReading, ...]
    lattice: int
    detail: str
    evidence: TextEvidence | None = None


class _Segmentation(NamedTuple):
    """A lattice of a line, with its weights and the sums over its paths."""

    lattice: Lattice
    scores: ArcScores
    weights: RelativeWeights
    states: NumberStates
    sums: PathSums
    # Logarithm of the weight of the best path, with that of the lattice.
    log_scale: float


class _Best(NamedTuple):
    """The most probable text of all segmentations."""

    text: str
    share: float
    hypothesis: Hypothesis
    segmentation: int
    # Logarithm of the weight of all accepted paths.
    log_total: float


def decode_line(
    line: TextLine,
    probabilities: Sequence[np.ndarray],
    class_names: Sequence[str],
    pattern: NumberPattern = ANY_NUMBER,
    weights: PathWeights | None = None,
) -> Reading:
    """Finds the most probable text of a line.

    The best text that fits the pattern wins, and its confidence is its share among the
    texts that fit. If these are improbable together, the confidence is reduced, and
    `detail` tells what is read without the pattern.

    Args:
      line: the line.
      probabilities: per lattice of the line, `float32 (N, num_classes)`, the network's
        output for its arcs. Rows of arcs that are no `CHARACTER` are ignored.
      class_names: the name of each class.
      pattern: what is known of the number.
      weights: weights of a path's score. None stands for `DEFAULT_WEIGHTS`.
    """
    weights = weights or DEFAULT_WEIGHTS
    free = pattern._replace(lengths=None, pattern="")
    any_number = _sum_segmentations(line, probabilities, class_names, free, weights)
    best_of_any = _find_best(any_number, class_names)
    if best_of_any is None:
        return Reading("", 0.0, (), 0, line.detail)
    if pattern == free:
        return _read(line, any_number, best_of_any, class_names, weights)
    fitting = [_constrain(part, pattern, class_names) for part in any_number]
    best = _find_best(fitting, class_names)
    if best is None:
        reading = _read(line, any_number, best_of_any, class_names, weights)
        return _explain(reading._replace(confidence=0.0), reading.text, pattern)
    reading = _read(line, fitting, best, class_names, weights)
    fraction = float(np.exp(best.log_total - best_of_any.log_total))
    if fraction >= _MIN_FITTING:
        return reading
    confidence = reading.confidence * fraction / _MIN_FITTING
    return _explain(reading._replace(confidence=confidence), best_of_any.text, pattern)


def _sum_segmentations(
    line: TextLine,
    probabilities: Sequence[np.ndarray],
    class_names: Sequence[str],
    pattern: NumberPattern,
    weights: PathWeights,
) -> list[_Segmentation]:
    """Scores the arcs of each lattice, and sums over its paths."""
    segmentations = []
    for lattice, outputs, prior in zip(
        line.lattices, probabilities, line.weights.tolist(), strict=True
    ):
        scores = score_arcs(lattice, outputs, class_names, weights)
        scores = doubt_tall_marks(scores, lattice, pattern.separators)
        relative = relative_weights(lattice, scores)
        states = make_states(pattern, class_names, lattice.num_cuts - 1)
        sums = sum_paths(lattice, relative, states)
        log_scale = relative.log_best + float(np.log(max(prior, _MIN_PRIOR)))
        segmentations.append(
            _Segmentation(lattice, scores, relative, states, sums, log_scale)
        )
    return segmentations


def _constrain(
    segmentation: _Segmentation, pattern: NumberPattern, class_names: Sequence[str]
) -> _Segmentation:
    """Sums over the paths that fit a pattern."""
    lattice = segmentation.lattice
    states = make_states(pattern, class_names, lattice.num_cuts - 1)
    sums = sum_paths(lattice, segmentation.weights, states)
    return segmentation._replace(states=states, sums=sums)


def _find_best(
    segmentations: Sequence[_Segmentation], class_names: Sequence[str]
) -> _Best | None:
    """Finds the text with the largest weight over all segmentations, if there is one.

    A segmentation is as probable as its prior times the sum of its paths.
    """
    scale = max(part.log_scale for part in segmentations)
    if not np.isfinite(scale):
        return None
    totals: dict[str, float] = {}
    found = []
    for part in segmentations:
        factor = float(np.exp(part.log_scale - scale))
        texts = find_texts(
            part.lattice, part.weights, part.sums, part.states, class_names
        )
        for text, hypothesis in texts.items():
            totals[text] = totals.get(text, 0.0) + factor * hypothesis.weight
        found.append((factor, texts))
    total = sum(
        factor * part.sums.total
        for part, (factor, _) in zip(segmentations, found, strict=True)
    )
    if not totals or not total > 0:
        return None
    text = min(totals, key=lambda text: (-totals[text], text))
    index = max(
        (i for i, (_, texts) in enumerate(found) if text in texts),
        key=lambda i: found[i][0] * found[i][1][text].weight,
    )
    share = min(totals[text] / total, 1.0)
    log_total = scale + float(np.log(total))
    return _Best(text, share, found[index][1][text], index, log_total)


def _read(
    line: TextLine,
    segmentations: Sequence[_Segmentation],
    best: _Best,
    class_names: Sequence[str],
    weights: PathWeights,
) -> Reading:
    """Describes the best text: its characters, and the confidence."""
    part = segmentations[best.segmentation]
    steps = [] if best.hypothesis.last is None else best.hypothesis.last.unlink()
    posterior = label_posterior(part.lattice, part.weights, part.sums, part.states)
    characters = tuple(
        _read_character(part, posterior, step, class_names)
        for step in steps
        if step.text
    )
    detail = "; ".join(filter(None, [line.detail, _explain_passed_over(part, steps)]))
    evidence = _weigh(part, best.share, steps)
    confidence = 0.0
    if evidence is not None:
        confidence = string_confidence(evidence, weights, line.log_odds)
    return Reading(
        best.text, confidence, characters, best.segmentation, detail, evidence
    )


def _weigh(
    part: _Segmentation, share: float, steps: Sequence[Step]
) -> TextEvidence | None:
    """Returns the evidence for a text of one class at least."""
    odds = [float(part.scores.odds[step.arc]) for step in steps if step.label >= 0]
    if not odds:
        return None
    return TextEvidence(share_logit(share), min(odds), len(odds))


def _read_character(
    part: _Segmentation, posterior: np.ndarray, step: Step, class_names: Sequence[str]
) -> CharacterReading:
    """Describes one character, at the place of its piece where it is surest."""
    arc = step.arc
    left, top, right, bottom = part.lattice.boxes[arc].tolist()
    box = (left, top, right, bottom)
    if step.label < 0:
        confidence = sigmoid(float(part.scores.marks[arc]))
        return CharacterReading(step.text, confidence, "", box, arc)
    places = posterior[part.lattice.starts[arc] : part.lattice.ends[arc]]
    surest = places[places[:, step.label].argmax()]
    others = surest.copy()
    others[step.label] = -1
    confidence = float(min(surest[step.label], 1.0))
    runner_up = class_names[int(others.argmax())]
    return CharacterReading(step.text, confidence, runner_up, box, arc)


def _explain_passed_over(part: _Segmentation, steps: Sequence[Step]) -> str:
    """Names the separators of a path that are not in its text."""
    symbols = [part.lattice.symbols[step.arc] for step in steps if not step.text]
    passed_over = [symbol for symbol in symbols if symbol != SKIPPED]
    if not passed_over:
        return ""
    return "passed over: " + " ".join(dict.fromkeys(passed_over))


def _explain(reading: Reading, text: str, pattern: NumberPattern) -> Reading:
    """Adds to the detail what is read without a pattern that does not fit it."""
    if pattern.pattern:
        flag = f"--pattern {pattern.pattern}"
    else:
        shortest, longest = pattern.lengths or (0, 0)
        lengths = f"{shortest}" if shortest == longest else f"{shortest}-{longest}"
        flag = f"--length {lengths}"
    reason = f"reads as {text}, which does not fit {flag}"
    detail = "; ".join(filter(None, [reading.detail, reason]))
    return reading._replace(detail=detail)

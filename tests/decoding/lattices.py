"""Small lattices whose paths can be listed."""

import itertools
import math

import numpy as np

from cnn.decoding.arc_scores import ArcScores
from cnn.preprocessing.text_lines import CHARACTER, FEATURES, Lattice, TextLine

CLASS_NAMES = tuple("0123456789")
# A piece of usual size, without overlap and cut ink.
_USUAL = {"width": 0.7, "height": 1.0}


def make_lattice(arcs, num_cuts=None, log_odds=None) -> Lattice:
    """Makes a lattice of arcs (start, end, symbol), sorted by start and end."""
    starts, ends, symbols = zip(*arcs, strict=True)
    count = len(arcs)
    features = np.zeros((count, len(FEATURES)), np.float32)
    for name, value in _USUAL.items():
        features[:, FEATURES.index(name)] = value
    boxes = [(20 * start, 0, 20 * end - 5, 28) for start, end, _ in arcs]
    return Lattice(
        num_cuts=num_cuts or max(ends) + 1,
        starts=np.array(starts, np.int32),
        ends=np.array(ends, np.int32),
        symbols=symbols,
        images=np.zeros((count, 28, 28), np.float32),
        boxes=np.array(boxes, np.float32),
        features=features,
        log_odds=np.array(log_odds or [0] * count, np.float32),
    )


def make_line(*lattices, weights=None, **fields) -> TextLine:
    weights = weights or [1.0] * len(lattices)
    box = np.array([0, 0, 100, 28], np.float32)
    return TextLine(box, lattices, np.array(weights, np.float32), **fields)


def output(**of_classes) -> np.ndarray:
    """Makes an output of the network: `_4=0.9` is the probability of class 4."""
    rest = (1 - sum(of_classes.values())) / (10 - len(of_classes))
    probabilities = np.full(10, rest, np.float32)
    for name, probability in of_classes.items():
        probabilities[int(name[1:])] = probability
    return probabilities


def list_readings(lattice, scores: ArcScores, kept: str = ""):
    """Lists (text, log weight) of every path and choice of classes, one by one."""
    yield from _list_from(lattice, scores, kept, 0, "", 0.0)


def _list_from(lattice, scores, kept, cut, text, score):
    if cut == lattice.num_cuts - 1:
        yield text, score
        return
    for arc in np.flatnonzero(lattice.starts == cut):
        end, symbol = lattice.ends[arc], lattice.symbols[arc]
        if symbol == CHARACTER:
            choices = zip(CLASS_NAMES, scores.characters[arc], strict=True)
        else:
            choices = [(symbol if symbol in kept else "", scores.marks[arc])]
        for added, value in choices:
            yield from _list_from(
                lattice, scores, kept, end, text + added, score + value
            )


def sum_by_text(lattice, scores: ArcScores, kept: str = "") -> dict[str, float]:
    """Sums the weights of all paths of each text."""
    sums: dict[str, float] = {}
    for text, score in list_readings(lattice, scores, kept):
        sums[text] = sums.get(text, 0.0) + math.exp(score)
    return sums


def random_lattice(rng, num_cuts=5, longest=3, symbols=(CHARACTER,)) -> Lattice:
    """Makes a lattice with most arcs that are not too long, of random symbols."""
    arcs = []
    for start, end in itertools.combinations(range(num_cuts), 2):
        if end == start + 1 or (end - start <= longest and rng.random() < 0.7):
            arcs.append((start, end, symbols[rng.integers(len(symbols))]))
    return make_lattice(arcs)


def random_scores(rng, lattice) -> ArcScores:
    """Samples scores of a few nats, mostly of a clear best class."""
    is_character = lattice.is_character
    characters = rng.normal(0, 4, (len(is_character), len(CLASS_NAMES)))
    marks = rng.normal(0, 1, len(is_character))
    return ArcScores(
        np.where(is_character[:, None], characters, -np.inf),
        np.where(is_character, -np.inf, marks),
        np.zeros(len(is_character)),
    )

import cv2
import numpy as np
import pytest

from cnn.data.candidate_choice import choose_candidates
from cnn.preprocessing.preprocessed_file import PreprocessedFile


def draw(has_stem, rng):
    """Draws the arch of an h, with or without its stem, `float32 (28, 28, 1)`."""
    image = np.zeros((28, 28), np.float32)
    x, y = rng.integers(9, 12), rng.integers(12, 15)
    cv2.polylines(image, [np.array([[x, y], [x + 7, y], [x + 7, 23]])], False, 1, 2)
    if has_stem:
        cv2.line(image, (int(x), 4), (int(x), 23), 1, 2)
    return image[..., None]


def picture(*candidates, weights=None):
    weights = None if weights is None else np.float32(weights)
    return PreprocessedFile(np.stack(candidates), "ok", "", weights)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_candidate_like_others_of_the_class_is_chosen(rng):
    """Though its weight is lower: the stem was taken for a line."""
    whole = [picture(draw(True, rng)) for _ in range(6)]
    cut = [
        picture(draw(False, rng), draw(True, rng), weights=[1, 0.4]) for _ in range(3)
    ]
    labels = np.zeros(9, int)
    assert choose_candidates([*whole, *cut], labels) == [0] * 6 + [1] * 3


def test_a_class_is_compared_with_itself_alone(rng):
    """A class of arches without a stem, beside one with it."""
    ambiguous = picture(draw(False, rng), draw(True, rng), weights=[0.4, 1])
    classes = [[picture(draw(has_stem, rng)) for _ in range(5)] for has_stem in (1, 0)]
    files = [*classes[0], ambiguous, *classes[1], ambiguous]
    chosen = choose_candidates(files, np.repeat([0, 1], 6))
    assert (chosen[5], chosen[11]) == (1, 0)


def test_several_cut_pictures_do_not_vouch_for_each_other_against_whole_ones(rng):
    """Half of the class has both ways; each way of theirs has as many neighbours."""
    whole = [picture(draw(True, rng)) for _ in range(5)]
    both = [picture(draw(False, rng), draw(True, rng)) for _ in range(2)]
    chosen = choose_candidates([*whole, *both], np.zeros(7, int))
    assert chosen == [0] * 5 + [1, 1]


def test_the_most_plausible_candidate_is_chosen_without_others_to_compare(rng):
    image, other = draw(True, rng), draw(False, rng)
    alone = picture(other, image, weights=[0.4, 1])
    assert choose_candidates([alone, picture(image)], np.array([0, 1])) == [1, 0]
    equal = picture(image, image, weights=[1, 1])
    assert choose_candidates([equal, equal], np.zeros(2, int)) == [0, 0]


def test_a_large_class_is_compared_with_some_of_it(rng):
    whole = [picture(draw(True, rng)) for _ in range(300)]
    cut = picture(draw(False, rng), draw(True, rng))
    assert choose_candidates([*whole, cut], np.zeros(301, int))[-1] == 1

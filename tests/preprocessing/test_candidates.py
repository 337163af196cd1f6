import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.candidates import extract_batch_candidates
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.slant import estimate_slants

MNIST = Placement(box=20, by_center_of_mass=True)


def draw_seven(side, slant):
    """Draws a 7 in black on white, `uint8 (side, side)`, whose stem leans."""
    image = Image.new("L", (side, side), 255)
    left, middle, right = 0.2 * side, 0.5 * side, 0.8 * side
    top, foot = 0.2 * side, 0.8 * side
    lean = slant * (foot - top) / 2
    points = [(left + lean, top), (middle + lean, top), (middle - lean, foot)]
    pen = max(2, side // 12)
    if slant == 0:
        points = points[1:]
    ImageDraw.Draw(image).line(points, fill=0, width=pen)
    assert right <= side
    return np.asarray(image)


@pytest.mark.parametrize("side", [28, 200])
def test_a_character_that_leans_far_is_also_read_upright(side):
    gray = draw_seven(side, 0.9)
    (candidates,) = extract_batch_candidates(gray[None], MNIST)
    slants = estimate_slants(candidates.images)
    assert slants[0] > 0.6
    assert abs(slants[-1]) < 0.25
    assert candidates.weights.tolist() == [1] * len(slants)


@pytest.mark.parametrize("side", [28, 200])
def test_an_upright_character_has_one_candidate(side):
    gray = draw_seven(side, 0)
    (candidates,) = extract_batch_candidates(gray[None], MNIST)
    assert candidates.images.shape == (1, 28, 28)


def test_the_candidates_do_not_depend_on_the_batch():
    grays = np.stack([draw_seven(28, slant) for slant in (0, 0.9, 0.3, 0.7, -0.9)])
    together = extract_batch_candidates(grays, MNIST)
    for gray, candidates in zip(grays, together, strict=True):
        (alone,) = extract_batch_candidates(gray[None], MNIST)
        np.testing.assert_array_equal(candidates.images, alone.images)
        np.testing.assert_array_equal(candidates.weights, alone.weights)

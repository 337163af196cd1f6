import cv2
import numpy as np
import pytest

from cnn.augmentation.glyphs import loops


def count_loops(strokes):
    """Counts the patches of paper that thin strokes enclose."""
    canvas = np.zeros((400, 500), np.uint8)
    for stroke in strokes:
        pixels = np.rint(200 * stroke + 100).astype(np.int32)
        cv2.polylines(canvas, [pixels], False, 255, 3)
    count, _, statistics, _ = cv2.connectedComponentsWithStats(
        255 - canvas, connectivity=4
    )
    return int((statistics[1:count, cv2.CC_STAT_AREA] > 100).sum()) - 1


@pytest.mark.parametrize(
    ("draw", "least", "most"),
    [
        (loops.draw_square_six, 0, 1),
        (loops.draw_nine_like_p, 0, 2),
        (loops.draw_eight_of_two_loops, 0, 3),
        (loops.draw_leaning_eight, 1, 3),
    ],
)
def test_a_digit_has_its_loops_unless_they_are_open(draw, least, most):
    rng = np.random.default_rng(9)
    counts = [count_loops(draw(rng)) for _ in range(50)]
    assert min(counts) >= least
    assert max(counts) <= most
    # In most drawings no loop is open.
    assert np.median(counts) >= 1

import re

import numpy as np
import pytest

from cnn.augmentation.simulated_strings import hands, number_texts, writing
from cnn.augmentation.simulated_strings.character_pool import make_pool
from cnn.augmentation.simulated_strings.simulated_line import find_boxes

UPRIGHT = hands.Hand(
    slant=0,
    slant_jitter=0,
    stretch=1,
    stroke=0.08,
    nib=0,
    size_jitter=0,
    baseline_jitter=0,
    drift=0,
    gap=0.2,
    gap_jitter=0,
    descending="",
    small="",
    joins=0,
)


@pytest.fixture(scope="module")
def pool(mnist_test):
    return make_pool(mnist_test.images[:2000], mnist_test.labels[:2000])


def write(pool, text, hand=UPRIGHT, seed=0, **options):
    return writing.write_line(np.random.default_rng(seed), pool, text, hand, **options)


def test_a_hand_without_jitter_writes_equal_heights_at_equal_gaps(pool):
    line = write(pool, "23568")
    left, top, right, bottom = find_boxes(line.hulls).T
    np.testing.assert_allclose(bottom - top, 96, atol=8)
    np.testing.assert_allclose(left[1:] - right[:-1], 0.2 * 96, atol=2)
    np.testing.assert_allclose(bottom, bottom[0], atol=2)


def test_digits_in_cells_are_in_their_middle(pool):
    boxes = find_boxes(write(pool, "40813", pitch=150).hulls)
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    np.testing.assert_allclose(middles, 75 + 150 * np.arange(5), atol=30)


def test_a_slant_moves_the_upper_ends_to_the_right(pool):
    """The middle of the upper rows of a 1 lies right of that of its lower rows."""
    line = write(pool, "1", UPRIGHT._replace(slant=0.5))
    rows = line.coverage
    columns = np.arange(rows.shape[1])
    top, bottom = (
        (part * columns).sum() / part.sum() for part in (rows[5:25], rows[-25:-5])
    )
    assert top - bottom == pytest.approx(0.5 * 66, rel=0.3)


def test_joined_digits_are_one_component(pool):
    import cv2

    apart = write(pool, "2345")
    joined = write(pool, "2345", UPRIGHT._replace(joins=1))
    counts = [
        cv2.connectedComponents((line.coverage > 0.4).astype(np.uint8))[0] - 1
        for line in (apart, joined)
    ]
    assert counts[0] >= 4
    assert counts[1] < counts[0]


def test_descending_digits_reach_below_the_line(pool):
    boxes = find_boxes(write(pool, "2929", UPRIGHT._replace(descending="9")).hulls)
    bottoms = boxes[:, 3]
    assert bottoms[[1, 3]].min() > bottoms[[0, 2]].max() + 8


def test_separators_stand_where_they_belong(pool):
    for seed in range(10):
        boxes = find_boxes(write(pool, "5.5,5-5/5:5", seed=seed).hulls)
        stop, comma, dash, slash, colon = boxes[1::2]
        line = np.median(boxes[::2, 3])
        top = np.median(boxes[::2, 1])
        assert stop[1] > (top + line) / 2
        assert comma[3] > line
        assert dash[1] > top + 20
        assert dash[3] < line - 20
        assert slash[3] - slash[1] > 80
        assert colon[3] - colon[1] > 30
        assert (np.diff(boxes[:, 0]) > 0).all()


def test_texts_with_separators_are_dates_amounts_times_or_dashed_numbers(pool):
    form = re.compile(
        r"\d{1,2}[./]\d{1,2}[./](\d{2}|\d{4})|\d{4}-\d{2}-\d{2}|\d+[.,]\d{1,2}"
        r"|\d{1,3}(,\d{3})*(\.\d{2})?|\d{1,2}(:\d{2}){1,2}|\d*[-/]\d+"
    )
    texts = [
        number_texts.sample_text_with_separators(np.random.default_rng(seed), pool)
        for seed in range(300)
    ]
    assert [text for text in texts if not form.fullmatch(text)] == []
    assert set("".join(texts)) >= set(".,-/:")


def test_thin_strokes_are_not_broken():
    """A ring one pixel wide stays one component, at any width of the pen."""
    import cv2

    image = np.zeros((28, 28), np.uint8)
    cv2.ellipse(image, (14, 14), (6, 9), 20, 0, 360, 200, 1, cv2.LINE_AA)
    ring = image.astype(np.float32) / np.float32(255)
    for stroke in (0.0, 0.06, 0.1):
        hand = UPRIGHT._replace(stroke=stroke)
        ink = hands.draw_digit(np.random.default_rng(0), ring, hand, 96)
        parts, _ = cv2.connectedComponents((ink > 0.5).astype(np.uint8))
        assert parts - 1 == 1
        # The paper inside the ring and around it.
        holes, _ = cv2.connectedComponents((np.pad(ink, 2) <= 0.5).astype(np.uint8))
        assert holes - 1 == 2


def test_old_hands_lengthen_tails_and_write_low_digits(pool):
    hand = UPRIGHT._replace(descending="7", small="0")
    for seed in range(10):
        boxes = find_boxes(write(pool, "2720", hand, seed=seed).hulls)
        two, seven, _, zero = boxes.tolist()
        height = two[3] - two[1]
        assert seven[1] == pytest.approx(two[1], abs=0.15 * height)
        assert 0.1 * height < seven[3] - two[3] < 1.25 * height
        assert 0.45 * height < zero[3] - zero[1] < 0.95 * height
        assert zero[3] == pytest.approx(two[3], abs=4)

import numpy as np
import pytest

from cnn.augmentation.simulated_strings import simulate_line

KINDS = ("plain", "close", "touching", "overlapping")


def light_on_dark(line):
    """The ink as high values: the corner pixels of a strip are paper or a digit's edge."""
    ink = line.image / 255
    return 1 - ink if ink.mean() > 0.5 else ink


def find_runs(columns):
    """Starts and ends of the runs of true columns."""
    changes = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int), [0]])))
    return changes.reshape(-1, 2)


def simulate(mnist_test, kind, seed, length=None):
    rng = np.random.default_rng(seed)
    return simulate_line(rng, kind, mnist_test.images, mnist_test.labels, length)


@pytest.mark.parametrize("kind", KINDS)
def test_all_ink_lies_in_the_boxes_and_reaches_their_edges(mnist_test, kind):
    for seed in range(20):
        line = simulate(mnist_test, kind, seed)
        ink = light_on_dark(line)
        inside = np.zeros(ink.shape, bool)
        for left, top, right, bottom in line.boxes:
            rows = slice(int(np.floor(top)), int(np.ceil(bottom)))
            columns = slice(int(np.floor(left)), int(np.ceil(right)))
            inside[rows, columns] = True
            assert ink[rows, columns].max() > 0.5
            assert ink[rows, columns][:2].max() > 0.1
            assert ink[rows, columns][:, -2:].max() > 0.1
        assert ink[~inside].max(initial=0) < 0.45


def test_plain_digits_are_runs_of_columns_at_their_boxes(mnist_test):
    for seed in range(30):
        line = simulate(mnist_test, "plain", seed, length=5)
        assert len(line.text) == 5
        runs = find_runs((light_on_dark(line) > 0.25).any(axis=0))
        scale = line.image.shape[0] / 28
        if len(runs) == 5:
            np.testing.assert_allclose(runs, line.boxes[:, ::2], atol=1.5 * scale)


def test_gaps_are_those_of_the_kind(mnist_test):
    limits = {"plain": (2, 8), "close": (0, 3), "touching": (-3, 0)}
    for kind, (least, largest) in limits.items():
        for seed in range(20):
            line = simulate(mnist_test, kind, seed, length=6)
            # The smallest digits of MNIST are 20 pixels high or wide.
            sides = (line.boxes[:, 2:] - line.boxes[:, :2]).max(axis=1)
            scale = sides.max() / 20
            gaps = (line.boxes[1:, 0] - line.boxes[:-1, 2]) / scale
            assert gaps.max() <= largest + 0.7
            # A narrow digit may be moved out of its neighbor, to keep the order.
            assert gaps.min() >= least - 0.7


def test_overlapping_digits_keep_their_order(mnist_test):
    for seed in range(50):
        boxes = simulate(mnist_test, "overlapping", seed, length=10).boxes
        assert (np.diff(boxes[:, 0]) > 0).all()
        assert (np.diff(boxes[:, 2]) > 0).all()


def test_glyphs_look_like_the_ink_in_their_boxes(mnist_test):
    """A plain digit, cropped, has the glyph's proportions and its place of ink."""
    for seed in range(20):
        line = simulate(mnist_test, "plain", seed, length=4)
        for box, glyph in zip(line.boxes, line.glyphs, strict=True):
            rows = np.flatnonzero((glyph > 0.2).any(axis=1))
            columns = np.flatnonzero((glyph > 0.2).any(axis=0))
            height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert 18 <= max(height, width) <= 22
            box_width, box_height = box[2:] - box[:2]
            assert width / height == pytest.approx(box_width / box_height, rel=0.35)
            y, x = np.indices(glyph.shape) + 0.5
            assert (y * glyph).sum() / glyph.sum() == pytest.approx(14.5, abs=0.3)
            assert (x * glyph).sum() / glyph.sum() == pytest.approx(14.5, abs=0.3)


def test_both_polarities_and_several_heights_occur(mnist_test):
    lines = [simulate(mnist_test, "plain", seed) for seed in range(40)]
    assert {bool(line.image.mean() > 127) for line in lines} == {False, True}
    heights = [line.image.shape[0] for line in lines]
    assert min(heights) == 28
    assert 45 < max(heights) <= 100


def test_lengths_are_1_to_10(mnist_test):
    lengths = [len(simulate(mnist_test, "close", seed).text) for seed in range(150)]
    assert set(lengths) == set(range(1, 11))

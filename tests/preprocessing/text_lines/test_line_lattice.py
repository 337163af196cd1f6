"""Tests of lattices, on drawings whose characters are known."""

import time

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines import CHARACTER, FEATURES, SKIPPED
from cnn.preprocessing.text_lines.line_lattice import make_lattice

PLACEMENT = Placement(20, by_center_of_mass=True)
HEIGHT = 40  # Of a digit, in pixels.
TOP = 30  # Of the digits.


def draw_line(*strokes, size=(300, 100), width=5):
    """Draws polylines, each a list of points, as the mask of a line."""
    image = Image.new("L", (4 * size[0], 4 * size[1]))
    draw = ImageDraw.Draw(image)
    for points in strokes:
        scaled = [(4 * x, 4 * y) for x, y in points]
        draw.line(scaled, fill=255, width=4 * width, joint="curve")
    return np.asarray(image.resize(size, Image.Resampling.BOX), np.float32) / 255


def one(left):
    """The points of a 1."""
    return [(left, TOP), (left, TOP + HEIGHT)]


def zero(left, width=22):
    """The points of a 0, a rectangle."""
    right, bottom = left + width, TOP + HEIGHT
    return [
        *[(left, TOP), (right, TOP), (right, bottom), (left, bottom)],
        *[(left, TOP), (right, TOP)],
    ]


def find_arc(lattice, box, symbol=CHARACTER, tolerance=3, max_rest=0.01):
    """Returns the arcs of a symbol whose ink fills a box, give or take pixels."""
    is_near = np.abs(lattice.boxes - box).max(1) <= tolerance
    is_near &= lattice.features[:, FEATURES.index("component_rest")] <= max_rest
    is_symbol = [found == symbol for found in lattice.symbols]
    return np.flatnonzero(is_near & is_symbol)


def has_path(lattice, arcs):
    """Tells whether arcs lead from the first cut to the last."""
    reached = 0
    for arc in arcs:
        if lattice.starts[arc] != reached:
            return False
        reached = lattice.ends[arc]
    return reached == lattice.num_cuts - 1


def box_of(points, width=5):
    """The box of a polyline's ink."""
    points = np.array(points)
    margin = np.tile([-width / 2, width / 2], (2, 1)).T.ravel()
    return np.concatenate([points.min(0), points.max(0)]) + margin


def feature(lattice, arc, name):
    return float(lattice.features[arc, FEATURES.index(name)])


def test_a_line_without_ink_has_no_lattice():
    assert make_lattice(np.zeros((30, 80), np.float32), PLACEMENT) is None


def test_separate_digits_are_pieces_of_a_path():
    characters = [one(30), zero(60), one(120)]
    lattice = make_lattice(draw_line(*characters), PLACEMENT)
    arcs = [find_arc(lattice, box_of(points))[0] for points in characters]
    assert has_path(lattice, arcs)
    assert [feature(lattice, arc, "component_rest") for arc in arcs] == [0, 0, 0]
    assert [feature(lattice, arc, "cut_ink") for arc in arcs] == [0, 0, 0]


def test_arcs_are_sorted_and_lead_forwards():
    lattice = make_lattice(draw_line(zero(30), zero(52), one(120)), PLACEMENT)
    pairs = [*zip(lattice.starts.tolist(), lattice.ends.tolist(), strict=True)]
    assert pairs == sorted(pairs)
    assert all(start < end < lattice.num_cuts for start, end in pairs)
    # Every cut can be passed.
    assert {end for _, end in pairs} == set(range(1, lattice.num_cuts))


def test_features_are_in_heights_of_a_digit():
    lattice = make_lattice(draw_line(one(30), zero(60), one(120)), PLACEMENT)
    (arc,) = find_arc(lattice, box_of(zero(60)))
    # 27 of 45 pixels wide; 25 pixels from the 1 before it.
    assert feature(lattice, arc, "width") == pytest.approx(27 / 45, abs=0.05)
    assert feature(lattice, arc, "height") == pytest.approx(1, abs=0.05)
    assert feature(lattice, arc, "gap_before") == pytest.approx(25 / 45, abs=0.05)
    assert feature(lattice, arc, "offset") == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("shared", [0, 3])
def test_touching_digits_are_cut(shared):
    # Two rings side by side, whose strokes touch or overlap.
    image = Image.new("L", (120, 80))
    draw = ImageDraw.Draw(image)
    draw.ellipse([10, 20, 40, 60], outline=255, width=5)
    draw.ellipse([41 - shared, 20, 71 - shared, 60], outline=255, width=5)
    mask = np.asarray(image, np.float32) / 255
    lattice = make_lattice(mask, PLACEMENT)
    left = find_arc(lattice, [10, 20, 41, 61], tolerance=4, max_rest=1)
    box = [41 - shared, 20, 72 - shared, 61]
    right = find_arc(lattice, box, tolerance=4, max_rest=1)
    assert any(has_path(lattice, [a, b]) for a in left for b in right)


def test_ink_over_the_next_digit_stays_with_its_component():
    # A stroke above the 0, which begins at the left of it.
    five = [(20, TOP + HEIGHT), (20, TOP), (60, TOP - 20)]
    lattice = make_lattice(draw_line(five, zero(40), one(100)), PLACEMENT)
    (arc,) = find_arc(lattice, box_of(zero(40)))
    # Nothing of the stroke above is in the 0's image, whose rows are full or empty.
    image = lattice.images[arc]
    rows = np.flatnonzero(image.max(1) > 0.5)
    assert np.ptp(rows) + 1 == pytest.approx(20, abs=1)
    assert find_arc(lattice, box_of(five)).size


def test_a_detached_flag_belongs_to_its_digit():
    body = [(30, TOP + 8), (30, TOP + 20), (50, TOP + 25), (50, TOP + HEIGHT)]
    flag = [(36, TOP), (56, TOP)]
    lattice = make_lattice(draw_line(body, flag, zero(80)), PLACEMENT)
    whole = box_of(body + flag)
    (arc,) = find_arc(lattice, whole)
    assert feature(lattice, arc, "component_rest") == 0
    assert not find_arc(lattice, box_of(body)).size


def test_pieces_look_as_single_characters_do():
    from cnn.preprocessing.centering import scale_and_center

    lattice = make_lattice(draw_line(one(30), zero(60), one(120)), PLACEMENT)
    (arc,) = find_arc(lattice, box_of(zero(60)))
    alone = scale_and_center(draw_line(zero(60))[None], PLACEMENT)[0]
    assert np.abs(lattice.images[arc] - alone).max() < 0.1


def test_boxes_are_in_pixels_of_a_large_line():
    mask = draw_line(one(30), zero(60), one(120))
    large = cv2.resize(mask, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    lattice = make_lattice(np.clip(large, 0, 1), PLACEMENT)
    assert find_arc(lattice, 4 * box_of(zero(60)), tolerance=8).size == 1


def test_thin_strokes_of_a_large_line_are_kept():
    strokes = [[(4 * x, 4 * y) for x, y in points] for points in (one(30), zero(60))]
    mask = draw_line(*strokes, size=(1200, 400), width=2)
    lattice = make_lattice(mask, PLACEMENT)
    (arc,) = find_arc(lattice, box_of(strokes[1], width=2), tolerance=8)
    assert lattice.images[arc].max() == 1
    # The 0 is 61 pixels long in the network input.
    assert (lattice.images[arc] > 0.5).sum() > 61


def test_a_slanted_hand_is_cut_along_its_slant():
    # Two slanted strokes whose columns overlap, connected by a bar.
    strokes = [[(20, 70), (50, 30)], [(50, 70), (80, 30)], [(35, 50), (65, 50)]]
    lattice = make_lattice(draw_line(*strokes), PLACEMENT)
    starts = np.flatnonzero(lattice.starts == 0)
    ends = np.flatnonzero(lattice.ends == lattice.num_cuts - 1)
    first = [arc for arc in starts if lattice.boxes[arc, 2] <= 60]
    second = [arc for arc in ends if lattice.boxes[arc, 0] >= 35]
    assert any(has_path(lattice, [a, b]) for a in first for b in second)


def test_a_speck_is_probably_skipped_and_a_digit_is_not():
    mask = draw_line(one(30), zero(60), one(120))
    mask[50:53, 220:223] = 1
    lattice = make_lattice(mask, PLACEMENT)
    (speck,) = find_arc(lattice, [220, 50, 223, 53], SKIPPED)
    assert lattice.log_odds[speck] > 1
    assert not find_arc(lattice, [220, 50, 223, 53]).size
    (digit,) = find_arc(lattice, box_of(zero(60)), SKIPPED)
    assert lattice.log_odds[digit] < -4


def test_no_piece_spans_a_printed_border():
    # Two digits that touch at the border between their cells.
    mask = draw_line(zero(30, width=30), zero(60, width=30), one(120))
    lattice = make_lattice(mask, PLACEMENT, cells=[61, 105])
    crossing = (lattice.boxes[:, 0] < 50) & (lattice.boxes[:, 2] > 72)
    assert not crossing.any()
    rest = lattice.features[:, FEATURES.index("cell_rest")]
    (arc,) = find_arc(lattice, box_of(one(120)))
    assert rest[arc] == 0


def test_a_digit_that_reaches_into_the_next_cell_is_in_its_own_as_a_whole():
    # The left stroke of the 0 is beyond the border, beside the 1 of that cell.
    mask = draw_line(one(30), zero(55, width=40), one(140))
    lattice = make_lattice(mask, PLACEMENT, cells=[59, 110], is_comb=True)
    rest = lattice.features[:, FEATURES.index("cell_rest")]
    for drawing in (one(30), zero(55, width=40), one(140)):
        (arc,) = find_arc(lattice, box_of(drawing))
        assert rest[arc] == 0


def test_the_result_does_not_depend_on_the_place():
    mask = draw_line(zero(30), zero(52), one(120))
    moved = np.pad(mask, ((7, 3), (11, 5)))
    here, there = make_lattice(mask, PLACEMENT), make_lattice(moved, PLACEMENT)
    assert np.array_equal(here.images, there.images)
    assert np.array_equal(here.features, there.features)
    assert np.allclose(here.boxes + [11, 7, 11, 7], there.boxes)


@pytest.mark.parametrize("content", ["noise", "specks", "bar", "full"])
def test_what_is_no_number_costs_bounded_time(content):
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 3000), np.float32)
    if content == "noise":
        mask = (rng.random(mask.shape) < 0.3).astype(np.float32)
    elif content == "specks":
        mask[::4, ::4] = 1
    elif content == "bar":
        mask[20:50] = 1
    else:
        mask[:] = 1
    begin = time.process_time()
    lattice = make_lattice(mask, PLACEMENT)
    assert time.process_time() - begin < 10
    assert lattice.num_cuts > 1
    assert len(lattice.images) < 5000

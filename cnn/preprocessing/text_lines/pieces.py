"""Joins the fragments between cuts of a text line to pieces that may be characters."""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines.fragments import Fragments
from cnn.preprocessing.text_lines.working_ink import MARGIN, WorkingInk

# Most steps between cuts of a piece.
_MAX_STEPS = 12
# Lengths are fractions of a digit's height.
# Greatest width of a piece of several fragments, without the slant, and of one.
_MAX_WIDTH = 1.3
_MAX_SINGLE_WIDTH = 2.5
# Widest gap inside a piece, and between tall ink, which is more probably two digits.
_MAX_GAP = 0.25
_MAX_TALL_GAP = 0.12
_TALL = 0.65
# Greatest width of tall ink that is not connected: more probably two digits.
_MAX_TALL_WIDTH = 0.95
# Share of the ink of its components that a piece of two tall ones may leave out: a cut
# would make a gap useless.
_MAX_REST_BESIDE_GAP = 0.05
# Least height and longer side of a character.
_MIN_HEIGHT = 0.25
_MIN_SIDE = 0.35
# Fragments of at least this height tell where the digits are.
_MIN_DIGIT = 0.6


class Pieces(NamedTuple):
    """Runs of neighboring steps between cuts, sorted by first and last.

    Attributes:
      first: `int (N,)`, first step of each.
      last: `int (N,)`, last step.
      members: `bool (N, fragments)`, the fragments of each.
      boxes: `int (N, 4)`, left, top, right and bottom of the ink, in pixels.
      spans: `int (N, 2)`, first column and the one after the last, without the slant.
      area: `float64 (N,)`, ink in pixels.
      inner_gap: `float64 (N,)`, widest empty gap inside, in pixels, without the slant.
      num_components: `int (N,)`, number of components that it has a part of.
      component_rest: `float64 (N,)`, share of their ink that it leaves out.
      cell_rest: `float64 (N,)`, share of its cell's ink that it leaves out.
      cut_ink: `float64 (N,)`, ink that the cuts at its sides cross, in pixels.
    """

    first: np.ndarray
    last: np.ndarray
    members: np.ndarray
    boxes: np.ndarray
    spans: np.ndarray
    area: np.ndarray
    inner_gap: np.ndarray
    num_components: np.ndarray
    component_rest: np.ndarray
    cell_rest: np.ndarray
    cut_ink: np.ndarray

    def select(self, index: np.ndarray) -> "Pieces":
        """Returns some of the pieces."""
        return Pieces(*(values[index] for values in self))


def join_fragments(ink: WorkingInk, fragments: Fragments, cell: np.ndarray) -> Pieces:
    """Joins fragments to the runs that may be a character, and to single steps.

    Args:
      ink: of the line.
      fragments: of the line, at least one.
      cell: `int (fragments,)`, printed cell that each is in. Pieces stay in one cell.
    """
    first, last = _enumerate_runs(len(fragments.step_number))
    members, cut_ink = _find_members(fragments, first, last)
    has_ink = members.any(1)
    first, last = first[has_ink], last[has_ink]
    members, cut_ink = members[has_ink], cut_ink[has_ink]
    pieces = Pieces(
        first=first,
        last=last,
        members=members,
        boxes=_unite(fragments.boxes, members),
        spans=_unite(fragments.spans[:, [0, 0, 1, 1]], members)[:, [0, 2]],
        area=members @ fragments.area,
        inner_gap=_inner_gaps(fragments.spans, members),
        num_components=_sums(members, fragments.component)[1],
        component_rest=_rest(members, fragments.component, fragments.area),
        cell_rest=_rest(members, cell, fragments.area),
        cut_ink=cut_ink,
    )
    is_in_cell = _sums(members, cell)[1] == 1
    is_kept = (first == last) | (is_in_cell & _may_be_one(ink, fragments, pieces))
    return pieces.select(np.flatnonzero(is_kept))


def _enumerate_runs(num_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first and the last step of each run, `int (N,)`."""
    lengths = np.arange(min(_MAX_STEPS, num_steps))
    first = np.repeat(np.arange(num_steps), len(lengths))
    last = first + np.tile(lengths, num_steps)
    is_inside = last < num_steps
    return first[is_inside], last[is_inside]


def _find_members(
    fragments: Fragments, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the fragments of each run of steps: between its cuts, in each component.

    Returns:
      `bool (N, fragments)` and `float64 (N,)`, the ink that these cuts cross.
    """
    members = np.zeros((len(first), len(fragments.area)), bool)
    cut_ink = np.zeros(len(first))
    for label in np.unique(fragments.step_component).tolist():
        steps = np.flatnonzero(fragments.step_component == label)
        begin = np.searchsorted(steps, first)
        end = np.searchsorted(steps, last, side="right")
        has_part = (begin < end)[:, None]
        own = np.flatnonzero(fragments.component == label)
        sides = fragments.sides[own]
        after_begin = (sides >> begin[:, None]) & 1 == 1
        before_end = (sides >> end[:, None]) & 1 == 0
        members[:, own] = after_begin & before_end & has_part
        crossed = np.concatenate([[0], fragments.step_ink[steps]])
        cut_ink += np.where(has_part[:, 0], crossed[begin] + crossed[end], 0)
    return members, cut_ink


def _unite(boxes: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Returns the box of each set of boxes, `int (N, 4)`."""
    inside = members[:, :, None]
    big = np.iinfo(int).max
    least = np.where(inside, boxes[:, :2], big).min(1)
    most = np.where(inside, boxes[:, 2:], -big).max(1)
    return np.concatenate([least, most], axis=1)


def _inner_gaps(spans: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Returns the widest empty gap between the members of each set, `float64 (N,)`."""
    order = np.argsort(spans[:, 0], kind="stable")
    inside = members[:, order]
    left = spans[order, 0]
    right = np.where(inside, spans[order, 1], -1)
    reached = np.maximum.accumulate(right, axis=1)
    gaps = left[1:] - reached[:, :-1]
    is_between = inside[:, 1:] & (reached[:, :-1] >= 0)
    return np.where(is_between, gaps, 0).max(1, initial=0).astype(float)


def _sums(
    members: np.ndarray, group: np.ndarray, values: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the groups that each set of fragments has a part of.

    Args:
      members: `bool (N, fragments)`.
      group: `int (fragments,)`.
      values: `float64 (fragments,)`, or None for 1 each.

    Returns:
      `float64 (N,)`, sum of the values of all fragments of these groups, and
      `int (N,)`, number of the groups.
    """
    groups, of_fragment = np.unique(group, return_inverse=True)
    in_group = np.zeros((len(group), len(groups)))
    in_group[np.arange(len(group)), of_fragment] = 1
    touched = members @ in_group > 0
    totals = in_group.T @ (np.ones(len(group)) if values is None else values)
    return touched @ totals, touched.sum(1)


def _rest(members: np.ndarray, group: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Returns the share of its groups' ink that each set lacks, `float64 (N,)`."""
    total, _ = _sums(members, group, area)
    return np.clip(1 - members @ area / np.maximum(total, 1e-6), 0, 1)


def _may_be_one(ink: WorkingInk, fragments: Fragments, pieces: Pieces) -> np.ndarray:
    """Tells which pieces of several fragments may be a character, `bool (N,)`."""
    height = ink.digit_height
    width = narrower_width(pieces)
    is_whole = pieces.component_rest <= _MAX_REST_BESIDE_GAP
    tall = fragments.boxes[:, 3] - fragments.boxes[:, 1] >= _TALL * height
    num_tall = _sums(pieces.members & tall, fragments.component)[1]
    max_gap = np.where(num_tall > 1, _MAX_TALL_GAP, _MAX_GAP) * height
    max_width = np.where(num_tall > 1, _MAX_TALL_WIDTH, _MAX_WIDTH) * height
    is_near = (width <= max_width) & (pieces.inner_gap <= max_gap)
    return is_near & (is_whole | (num_tall <= 1))


def narrower_width(pieces: Pieces) -> np.ndarray:
    """Returns the width of each piece with or without the slant, `int (N,)`, in pixels.

    The slant of the hand is not that of each digit, so the narrower is the better.
    """
    box_width = pieces.boxes[:, 2] - pieces.boxes[:, 0]
    return np.minimum(box_width, pieces.spans[:, 1] - pieces.spans[:, 0])


def may_be_character(ink: WorkingInk, pieces: Pieces) -> np.ndarray:
    """Tells which pieces are neither specks nor far too wide, `bool (N,)`."""
    width = pieces.boxes[:, 2] - pieces.boxes[:, 0]
    height = pieces.boxes[:, 3] - pieces.boxes[:, 1]
    side = np.maximum(width, height)
    unit = ink.digit_height
    is_large = (height >= _MIN_HEIGHT * unit) & (side >= _MIN_SIDE * unit)
    return is_large & (narrower_width(pieces) <= _MAX_SINGLE_WIDTH * unit)


def digit_band(ink: WorkingInk, fragments: Fragments) -> tuple[float, float]:
    """Returns the top and the baseline of the digits, in pixels."""
    boxes = fragments.boxes
    heights = boxes[:, 3] - boxes[:, 1]
    tall = boxes[heights >= _MIN_DIGIT * ink.digit_height]
    if not len(tall):
        tall = boxes
    return float(np.median(tall[:, 1])), float(np.median(tall[:, 3]))


def cut_out(ink: WorkingInk, fragments: Fragments, pieces: Pieces) -> np.ndarray:
    """Cuts out the ink of each piece.

    Returns:
      `float32 (N, height, width)`, with `MARGIN` empty columns at the sides at least.
    """
    left = pieces.boxes[:, 0] - MARGIN
    width = int((pieces.boxes[:, 2] - left).max(initial=1)) + MARGIN
    padding = ((0, 0), (MARGIN, width))
    padding = ((0, 0), (MARGIN, width))
    labels, masks = (
        np.lib.stride_tricks.sliding_window_view(np.pad(image, padding), width, axis=1)[
            :, left + MARGIN
        ].transpose(1, 0, 2)
        for image in (fragments.labels, ink.mask)
    )
    members = np.pad(pieces.members, ((0, 0), (1, 0)))
    of_piece = np.arange(len(members)) * members.shape[1]
    is_member = members.ravel()[labels + of_piece[:, None, None]]
    return np.where(is_member, masks, 0)

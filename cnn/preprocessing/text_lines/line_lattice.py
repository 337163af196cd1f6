"""Makes the lattice of a text line from its ink."""

from collections.abc import Sequence

import numpy as np

from cnn.preprocessing.centering import IMAGE_SIZE, Placement
from cnn.preprocessing.text_lines.batched_scaling import scale_pieces
from cnn.preprocessing.text_lines.cuts import find_cuts
from cnn.preprocessing.text_lines.fragments import Fragments, divide_components
from cnn.preprocessing.text_lines.lattice import (
    CHARACTER,
    FEATURES,
    SEPARATORS,
    SKIPPED,
    Lattice,
)
from cnn.preprocessing.text_lines.pieces import (
    Pieces,
    cut_out,
    digit_band,
    join_fragments,
    may_be_character,
    narrower_width,
)
from cnn.preprocessing.text_lines.separators import (
    MIN_LOG_ODDS,
    separator_log_odds,
    skipped_log_odds,
)
from cnn.preprocessing.text_lines.working_ink import WorkingInk, find_working_ink

# Log odds that a part of a component is left out, less than for a whole component.
_PART_SKIPPED = -3.0
# A piece whose components lack more than this share of their ink is no separator.
_MAX_REST = 0.02
# Share of a component's ink in one printed cell from which on all of it is there.
_MIN_OWN_CELL = 0.65
# Share of the ink of a comb's cell that its digit may leave out: a neighbor's stroke.
_MAX_CELL_REST = 0.3
# Height from which on ink is a digit, to which the distance of specks is measured, as
# a fraction of a digit's height.
_MIN_DIGIT = 0.6


def make_lattice(
    mask: np.ndarray,
    placement: Placement,
    cells: Sequence[float] | None = None,
    is_comb: bool = False,
) -> Lattice | None:
    """Cuts the ink of a number into pieces that may be characters.

    Args:
      mask: `float32 (height, width)` in [0, 1], the ink of the line, without its
        background, rules and boxes.
      placement: size and position of a character in the network input.
      cells: columns of printed borders between digits, in pixels. None if there are
        none.
      is_comb: whether each cell is for one digit.

    Returns:
      The lattice, with boxes in pixels of `mask`, or None if there is no ink.
    """
    ink = find_working_ink(mask)
    if ink is None:
        return None
    borders = np.sort(np.asarray([] if cells is None else cells, float))
    borders = (borders - ink.offset[0]) * ink.scale
    fragments = divide_components(ink, find_cuts(ink, borders))
    cell = _assign_cells(ink, fragments, borders)
    pieces = join_fragments(ink, fragments, cell)
    if not len(borders):
        pieces = pieces._replace(cell_rest=np.zeros(len(pieces.first)))
    is_character = may_be_character(ink, pieces)
    if is_comb and len(borders):
        is_character = _keep_whole_cells(is_character, pieces, cell)
    index, symbols, log_odds = _choose_symbols(ink, fragments, pieces, is_character)
    return _assemble(ink, fragments, pieces.select(index), symbols, log_odds, placement)


def _assign_cells(
    ink: WorkingInk, fragments: Fragments, borders: np.ndarray
) -> np.ndarray:
    """Returns the printed cell that each fragment is in, `int (fragments,)`.

    A digit that reaches into the next cell by a small part is in its own as a whole.

    Args:
      ink: of the line.
      fragments: parts of its components.
      borders: `float64 (N,)`, columns of the printed borders.
    """
    rows, columns = np.nonzero(ink.labels)
    area = np.zeros((ink.num_labels, len(borders) + 1))
    of_pixel = ink.labels[rows, columns], np.searchsorted(borders, columns)
    np.add.at(area, of_pixel, 1)
    main = area.argmax(1)
    is_whole = area.max(1) >= _MIN_OWN_CELL * area.sum(1)
    middles = fragments.boxes[:, [0, 2]].mean(1)
    cell = np.searchsorted(borders, middles)
    component = fragments.component
    return np.where(is_whole[component], main[component], cell)


def _keep_whole_cells(
    is_character: np.ndarray, pieces: Pieces, cell: np.ndarray
) -> np.ndarray:
    """Drops characters that are parts of a cell's ink, where another is all of it.

    Args:
      is_character: `bool (N,)`.
      pieces: of the line, N of them.
      cell: `int (fragments,)`, printed cell that each fragment is in.
    """
    own = cell[pieces.members.argmax(1)]
    is_whole = is_character & (pieces.cell_rest <= _MAX_CELL_REST)
    return np.where(np.isin(own, own[is_whole]), is_whole, is_character)


def _choose_symbols(
    ink: WorkingInk, fragments: Fragments, pieces: Pieces, is_character: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Finds what each piece may be.

    Returns:
      `int (arcs,)`, the piece of each arc, its symbol, and `float32 (arcs,)`, its log
      odds.
    """
    found = [(int(i), CHARACTER, 0.0) for i in np.flatnonzero(is_character)]
    of_separators = _measure_separators(ink, fragments, pieces)
    for symbol in SEPARATORS:
        odds = of_separators[symbol]
        plausible = (odds >= MIN_LOG_ODDS) & (pieces.component_rest <= _MAX_REST)
        found += [(int(i), symbol, float(odds[i])) for i in np.flatnonzero(plausible)]
    skipped = _measure_skipped(ink, fragments, pieces)
    is_whole = pieces.component_rest <= _MAX_REST
    is_single = pieces.num_components == 1
    is_skipped = (is_single & is_whole) | (
        (pieces.first == pieces.last) & ~is_character
    )
    found += [(int(i), SKIPPED, float(skipped[i])) for i in np.flatnonzero(is_skipped)]
    # The arcs of a piece follow each other, its character first.
    found.sort(key=lambda arc: arc[0])
    index, symbols, log_odds = zip(*found, strict=True)
    return np.array(index), symbols, np.array(log_odds, np.float32)


def _measure_separators(
    ink: WorkingInk, fragments: Fragments, pieces: Pieces
) -> dict[str, np.ndarray]:
    """Computes the log odds of each separator for each piece."""
    top, bottom = digit_band(ink, fragments)
    height = max(bottom - top, 1)
    box = (pieces.boxes - [0, top, 0, top]) / height
    box_area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    fill = pieces.area / height**2 / box_area
    slope = fragments.slopes[pieces.members.argmax(1)] - ink.slant
    return separator_log_odds(box, fill, slope, pieces.num_components)


def _measure_skipped(
    ink: WorkingInk, fragments: Fragments, pieces: Pieces
) -> np.ndarray:
    """Computes the log odds that each piece is no part of the number."""
    height = ink.digit_height
    top, bottom = digit_band(ink, fragments)
    boxes = pieces.boxes
    size = (boxes[:, 2:] - boxes[:, :2]).max(1) / height
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    off_line = np.maximum(np.maximum(top - middle, middle - bottom), 0) / height
    odds = skipped_log_odds(size, _distances(ink, fragments, pieces), off_line)
    return np.where(pieces.component_rest > _MAX_REST, odds + _PART_SKIPPED, odds)


def _distances(ink: WorkingInk, fragments: Fragments, pieces: Pieces) -> np.ndarray:
    """Returns the empty columns to the nearest digit, in heights of one."""
    heights = fragments.boxes[:, 3] - fragments.boxes[:, 1]
    is_digit = heights >= _MIN_DIGIT * ink.digit_height
    left, right = fragments.spans[is_digit].T
    before = pieces.spans[:, :1] - right
    behind = left - pieces.spans[:, 1:]
    is_own = pieces.members[:, is_digit]
    gaps = np.where(is_own, np.inf, np.maximum(np.maximum(before, behind), 0))
    nearest = gaps.min(1, initial=np.inf)
    return np.where(np.isinf(nearest), 0, nearest / ink.digit_height)


def _assemble(
    ink: WorkingInk,
    fragments: Fragments,
    arcs: Pieces,
    symbols: tuple[str, ...],
    log_odds: np.ndarray,
    placement: Placement,
) -> Lattice:
    """Makes the lattice of arcs, each the piece of one symbol."""
    is_character = np.array([symbol == CHARACTER for symbol in symbols], bool)
    images = np.zeros((len(symbols), IMAGE_SIZE, IMAGE_SIZE), np.float32)
    if is_character.any():
        masks = cut_out(ink, fragments, arcs.select(is_character))
        images[is_character] = scale_pieces(masks, placement, ink.scale < 1)
    return Lattice(
        num_cuts=len(fragments.step_number) + 1,
        starts=arcs.first.astype(np.int32),
        ends=(arcs.last + 1).astype(np.int32),
        symbols=symbols,
        images=images,
        boxes=ink.to_line(arcs.boxes),
        features=_measure_features(ink, fragments, arcs),
        log_odds=log_odds,
    )


def _measure_features(
    ink: WorkingInk, fragments: Fragments, arcs: Pieces
) -> np.ndarray:
    """Measures the features of each arc, `float32 (N, len(FEATURES))`."""
    height = ink.digit_height
    boxes = arcs.boxes
    top, bottom = digit_band(ink, fragments)
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    values = {
        "width": narrower_width(arcs) / height,
        "height": (boxes[:, 3] - boxes[:, 1]) / height,
        "gap_before": _gaps_before(fragments, arcs) / height,
        "cut_ink": arcs.cut_ink / height,
        "num_fragments": arcs.last - arcs.first,
        "inner_gap": arcs.inner_gap / height,
        "offset": (middle - (top + bottom) / 2) / height,
        "component_rest": arcs.component_rest,
        "cell_rest": arcs.cell_rest,
    }
    columns = [values[name] for name in FEATURES]
    return np.stack(columns, axis=1).astype(np.float32)


def _gaps_before(fragments: Fragments, arcs: Pieces) -> np.ndarray:
    """Returns the columns between each arc and the ink before it, 0 for the first."""
    middle = fragments.spans.mean(1)
    # Ink on the left of the piece's middle that is no part of it.
    is_before = ~arcs.members & (middle < arcs.spans.mean(1)[:, None])
    reached = np.where(is_before, fragments.spans[:, 1], -1).max(1)
    return np.where(reached >= 0, arcs.spans[:, 0] - reached, 0)

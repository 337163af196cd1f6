"""A text line as a lattice: pieces of its ink between cuts.

The number is cut in more places than there are characters. A piece lies between two
cuts, near each other, and may be a character, a part of one, or two of them. A path
from the first cut to the last, along pieces, is a way to read the line.

Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998,
section VI (heuristic over-segmentation).
"""

from typing import NamedTuple

import numpy as np

# Marks between digits that can be told from their shape and place, without the network.
from cnn.number_pattern import SEPARATORS as SEPARATORS

# Symbol of a piece that the network reads.
CHARACTER = ""
# Symbol of a piece that is no part of the number: a speck, a line, a letter.
SKIPPED = " "
# Measurements of a piece that the network does not see. See `Lattice.features`.
FEATURES = (
    "width",
    "height",
    "gap_before",
    "cut_ink",
    "num_fragments",
    "inner_gap",
    "offset",
    "component_rest",
    "cell_rest",
)


class Lattice(NamedTuple):
    """Pieces of a text line between cuts.

    Attributes:
      num_cuts: number of cuts, from the left. Piece i is an arc from cut `starts[i]` to
        cut `ends[i]`. Paths go from cut 0 to cut `num_cuts - 1`.
      starts: `int32 (N,)`, in [0, num_cuts - 1).
      ends: `int32 (N,)`, each greater than its start. Arcs are sorted by (start, end).
      symbols: N texts: `CHARACTER`, a member of `SEPARATORS`, or `SKIPPED`. The same
        ink may have several arcs, one per symbol.
      images: `float32 (N, 28, 28)` in [0, 1], the network input of each `CHARACTER`
        arc, and 0 for the others.
      boxes: `float32 (N, 4)`, left, top, right and bottom of the ink, in pixels of the
        upright picture.
      features: `float32 (N, len(FEATURES))`, lengths as fractions of the line's height
        of a digit:
        - `width`, `height` of the ink, the width without the slant of the hand if that
          is less;
        - `gap_before`, to the ink before the piece, negative where they overlap;
        - `cut_ink`, length of the cuts through ink at the sides of the piece, 0 for
          gaps;
        - `num_fragments`, number of cuts and gaps that the piece spans;
        - `inner_gap`, widest empty gap inside the piece, without the slant, 0 for
          connected ink;
        - `offset`, of its middle, downwards from the middle of the digits;
        - `component_rest`, share of the ink of its components that it leaves out, 0
          for whole components;
        - `cell_rest`, share of the ink of its printed cell that it leaves out, 0
          without cells.
      log_odds: `float32 (N,)`, of an arc of another symbol than `CHARACTER`: the log
        odds, by shape and place, that it is that symbol. 0 for characters.
    """

    num_cuts: int
    starts: np.ndarray
    ends: np.ndarray
    symbols: tuple[str, ...]
    images: np.ndarray
    boxes: np.ndarray
    features: np.ndarray
    log_odds: np.ndarray

    @property
    def is_character(self) -> np.ndarray:
        """`bool (N,)`, the arcs that the network reads."""
        return np.array([symbol == CHARACTER for symbol in self.symbols], bool)


class TextLine(NamedTuple):
    """A number in an image, cut into pieces.

    Attributes:
      box: `float32 (4,)`, left, top, right and bottom, in pixels of the upright
        picture.
      lattices: ways to cut the line, by different segmentations of its ink. At least
        one.
      weights: `float32 (len(lattices),)`, their relative prior probabilities.
      line: number of the line of the page that the number is in, counted from 1.
      detail: a remark on the line, or empty.
      log_odds: log odds that the ink is a handwritten number, by its place on the page
        and its likeness to print. 0 stands for no evidence.
    """

    box: np.ndarray
    lattices: tuple[Lattice, ...]
    weights: np.ndarray
    line: int = 1
    detail: str = ""
    log_odds: float = 0.0

    def transform_boxes(self, scale: np.ndarray, offset: np.ndarray) -> "TextLine":
        """Scales and then moves all boxes, as from a part of a picture to the whole.

        Args:
          scale: `(4,)`, factors of left, top, right and bottom.
          offset: `(4,)`, in pixels of the whole.
        """
        scale = scale.astype(np.float32)
        offset = offset.astype(np.float32)
        lattices = tuple(
            lattice._replace(boxes=lattice.boxes * scale + offset)
            for lattice in self.lattices
        )
        return self._replace(box=self.box * scale + offset, lattices=lattices)

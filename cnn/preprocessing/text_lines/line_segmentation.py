"""Segments one text line, and cuts it into pieces."""

import cv2
import numpy as np

from cnn.preprocessing.boxes import box_slices
from cnn.preprocessing.centering import Placement, scale_and_center
from cnn.preprocessing.text_lines.lattice import CHARACTER, FEATURES, Lattice, TextLine
from cnn.preprocessing.text_lines.line_mask import find_line_masks

# Smallest component, as a fraction of the highest one.
_MIN_HEIGHT = 0.3


def segment_line(gray: np.ndarray, placement: Placement) -> TextLine | None:
    """Finds the number in an image of one text line.

    Args:
      gray: `uint8 (height, width)`.
      placement: size and position of a character in the network input.

    Returns:
      The line, with boxes in pixels of `gray`, or None if there is no ink.
    """
    lattices = []
    weights = []
    for found in find_line_masks(gray):
        line = make_line(found.mask, placement)
        if line is None:
            continue
        lattice = line.lattices[0]
        boxes = found.work.to_picture(lattice.boxes, gray.shape)
        lattices.append(lattice._replace(boxes=boxes))
        weights.append(found.weight)
    if not lattices:
        return None
    boxes = lattices[0].boxes
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return TextLine(box, tuple(lattices), np.array(weights, np.float32))


def make_line(mask: np.ndarray, placement: Placement) -> TextLine | None:
    """Makes every connected component a piece.

    Args:
      mask: `float32 (height, width)` in [0, 1], the ink of the line.
      placement: size and position of a character in the network input.
    """
    binary = (mask > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary)
    corners = stats[1:count, :2]
    boxes = np.concatenate([corners, corners + stats[1:count, 2:4]], axis=1)
    if not len(boxes):
        return None
    heights = boxes[:, 3] - boxes[:, 1]
    kept = np.flatnonzero(heights >= _MIN_HEIGHT * heights.max())
    kept = kept[np.argsort(boxes[kept, 0], kind="stable")]
    images = []
    for index in kept:
        inside = box_slices(boxes[index])
        piece = np.where(labels[inside] == index + 1, mask[inside], 0)
        images.append(scale_and_center(piece[None].astype(np.float32), placement)[0])
    height = float(heights.max())
    of_arcs = boxes[kept].astype(np.float32)
    features = np.zeros((len(kept), len(FEATURES)), np.float32)
    features[:, 0] = (of_arcs[:, 2] - of_arcs[:, 0]) / height
    features[:, 1] = (of_arcs[:, 3] - of_arcs[:, 1]) / height
    features[1:, 2] = (of_arcs[1:, 0] - of_arcs[:-1, 2]) / height
    lattice = Lattice(
        num_cuts=len(kept) + 1,
        starts=np.arange(len(kept), dtype=np.int32),
        ends=np.arange(1, len(kept) + 1, dtype=np.int32),
        symbols=(CHARACTER,) * len(kept),
        images=np.stack(images),
        boxes=of_arcs,
        features=features,
        log_odds=np.zeros(len(kept), np.float32),
    )
    box = np.concatenate([of_arcs[:, :2].min(0), of_arcs[:, 2:].max(0)])
    return TextLine(box, (lattice,), np.ones(1, np.float32))

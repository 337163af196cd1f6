"""Cuts a text line out of a picture, straightened, with digits of a standard height."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import downscale_interpolation

# Largest number of pixels of the reduced picture in which a line is searched.
_SEARCH_PIXELS = 400_000
# Height of a picture up to which it is searched in full, in pixels, and share of the
# height above it that is kept: the digits of a higher picture are higher, too.
_FULL_HEIGHT = 80
_KEPT_SHARE = 0.3
# Height of a digit in a work image, in pixels: enough for the cuts between digits, and
# about twice that of the network input.
DIGIT_HEIGHT = 48.0
# Largest enlargement of a small picture. More adds pixels and no detail.
_MAX_ENLARGEMENT = 2.0
# Longest side of a work image, in pixels. It bounds the time of a long line.
_MAX_WORK_SIDE = 4_000


class WorkImage(NamedTuple):
    """A resampled part of a picture.

    Attributes:
      gray: `uint8 (height, width)`.
      matrix: `float64 (2, 3)`, takes pixels of the picture to pixels of `gray`.
      inside: left, top, right and bottom of the picture's box in `gray`, in pixels.
        They may lie outside of `gray`.
      digit_height: height of a digit in `gray`, in pixels, or 0 if it is not known.
    """

    gray: np.ndarray
    matrix: np.ndarray
    inside: tuple[float, float, float, float]
    digit_height: float = 0.0

    def to_picture(self, boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Takes boxes from the work image to the picture.

        Args:
          boxes: `float (n, 4)`, left, top, right and bottom.
          shape: height and width of the picture, to which they are clipped.

        Returns:
          `float32 (n, 4)`, the boxes of the transformed boxes.
        """
        inverse = cv2.invertAffineTransform(self.matrix)
        x = boxes[:, [0, 2, 2, 0]]
        y = boxes[:, [1, 1, 3, 3]]
        picture_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
        picture_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
        # The corners of a rotated box stick out of the ink by about half of the skew.
        middle_y = abs(inverse[1, 0]) * (boxes[:, 2] - boxes[:, 0]) / 2
        middle_x = abs(inverse[0, 1]) * (boxes[:, 3] - boxes[:, 1]) / 2
        left = picture_x.min(1) + middle_x
        top = picture_y.min(1) + middle_y
        right = picture_x.max(1) - middle_x
        bottom = picture_y.max(1) - middle_y
        height, width = shape[:2]
        return np.stack(
            [
                left.clip(0, width),
                top.clip(0, height),
                right.clip(0, width),
                bottom.clip(0, height),
            ],
            axis=1,
        ).astype(np.float32)


def reduce_picture(gray: np.ndarray) -> WorkImage:
    """Reduces a large picture for the search of its line."""
    height, width = gray.shape
    kept_height = _FULL_HEIGHT + _KEPT_SHARE * (height - _FULL_HEIGHT)
    scale = min(kept_height / height, float(np.sqrt(_SEARCH_PIXELS / gray.size)))
    if scale >= 1.0:
        return _whole(gray, np.eye(2, 3))
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    small = cv2.resize(gray, size, interpolation=downscale_interpolation(scale))
    matrix = np.diag([size[0] / width, size[1] / height, 0.0])[:2]
    return _whole(small, matrix)


def rotate(work: WorkImage, degrees: float) -> WorkImage:
    """Rotates a work image about its middle, so that a skew of `degrees` is level."""
    height, width = work.gray.shape
    middle = ((width - 1) / 2, (height - 1) / 2)
    rotation = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    gray = cv2.warpAffine(
        work.gray,
        rotation,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return WorkImage(gray, compose(rotation, work.matrix), work.inside)


def crop_line(
    picture: np.ndarray,
    work: WorkImage,
    box: tuple[float, float, float, float],
    digit_height: float,
    degrees: float = 0.0,
) -> WorkImage:
    """Cuts a line out of a picture, with digits of `DIGIT_HEIGHT` if it has as many.

    Args:
      picture: `uint8 (height, width)`.
      work: the image in which the line was found.
      box: left, top, right and bottom of the line, in pixels of `work`.
      digit_height: height of its digits, in pixels of `work`.
      degrees: skew of the line in `work`.
    """
    zoom = float(np.sqrt(abs(np.linalg.det(work.matrix[:, :2]))))
    scale = min(DIGIT_HEIGHT / digit_height, _MAX_ENLARGEMENT / zoom)
    left, top, right, bottom = box
    scale = min(scale, _MAX_WORK_SIDE / max(right - left, bottom - top))
    width = max(1, round(scale * (right - left)))
    height = max(1, round(scale * (bottom - top)))
    middle = ((left + right - 1) / 2, (top + bottom - 1) / 2)
    step = cv2.getRotationMatrix2D(middle, degrees, scale)
    step[0, 2] += (width - 1) / 2 - middle[0]
    step[1, 2] += (height - 1) / 2 - middle[1]
    matrix = compose(step, work.matrix)
    gray = _warp(picture, matrix, (width, height))
    return WorkImage(
        gray, matrix, _picture_box(picture.shape, matrix), scale * digit_height
    )


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Multiplies two affine maps, `float64 (2, 3)` each: first the first."""
    linear = second[:, :2] @ first[:, :2]
    offset = second[:, :2] @ first[:, 2] + second[:, 2]
    return np.concatenate([linear, offset[:, None]], axis=1)


def _whole(gray: np.ndarray, matrix: np.ndarray) -> WorkImage:
    height, width = gray.shape
    return WorkImage(gray, matrix, (0.0, 0.0, float(width), float(height)))


def _warp(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resamples a part of a picture, by areas where it is reduced."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size], float)
    source = corners @ inverse[:, :2].T + inverse[:, 2]
    first = np.floor(source.min(0)).astype(int) - 2
    last = np.ceil(source.max(0)).astype(int) + 3
    left, top = np.maximum(first, 0)
    right, bottom = np.minimum(last, picture.shape[::-1])
    part = picture[top:bottom, left:right]
    moved = compose(matrix, np.array([[1, 0, left], [0, 1, top]], float))
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if zoom < 0.75:
        part_size = (
            max(1, round(part.shape[1] * zoom)),
            max(1, round(part.shape[0] * zoom)),
        )
        ratio = np.array([part.shape[1] / part_size[0], part.shape[0] / part_size[1]])
        part = cv2.resize(part, part_size, interpolation=cv2.INTER_AREA)
        # Pixel centers: column c of the reduced part is (c + 0.5) · ratio - 0.5.
        enlarge = np.array(
            [[ratio[0], 0, (ratio[0] - 1) / 2], [0, ratio[1], (ratio[1] - 1) / 2]]
        )
        moved = compose(moved, enlarge)
    flags = cv2.INTER_CUBIC if zoom > 1.2 else cv2.INTER_LINEAR
    return cv2.warpAffine(
        part, moved, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def _picture_box(
    shape: tuple[int, ...], matrix: np.ndarray
) -> tuple[float, float, float, float]:
    """Returns the picture's box after an affine map, ignoring a small rotation."""
    height, width = shape
    middle = np.array([width / 2, height / 2])
    left = matrix[0] @ np.array([0, middle[1], 1])
    right = matrix[0] @ np.array([width, middle[1], 1])
    top = matrix[1] @ np.array([middle[0], 0, 1])
    bottom = matrix[1] @ np.array([middle[0], height, 1])
    return float(left), float(top), float(right), float(bottom)

"""The result of preprocessing one file, page or region."""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines import TextLine


class Preview(NamedTuple):
    """A picture of a source, for people to look at.

    Attributes:
      picture: PNG or JPEG, upright.
      mask: PNG of the picture's size, whose alpha channel is the ink that was found.
        None without any.
      size: width and height of the whole upright page, in pixels.
      picture_box: left, top, right and bottom of the picture on that page.
      ink_box: those of the ink, or None without any.
    """

    picture: bytes
    mask: bytes | None
    size: tuple[int, int]
    picture_box: tuple[int, int, int, int]
    ink_box: tuple[float, float, float, float] | None


class PreprocessedFile(NamedTuple):
    """The result of preprocessing one file.

    Attributes:
      candidates: `float32 (N, 28, 28, 1)` in [0, 1], network inputs by different
        segmentations of the image, the most plausible first, or None without any.
      status: `ok`, `blank` or `unreadable`.
      detail: the reason if there are no candidates, or a remark on the image.
      weights: `float32 (N,)`, relative prior probabilities of the candidates. None
        stands for equal ones.
      lines: the numbers of the layouts `line` and `page`.
      size: width and height of the upright picture in pixels, in which the boxes of
        `lines` are measured. None in the layout `character`.
      num_pages: number of pages of the file, if `CountOptions` asked for it.
      preview: a picture of the source, if `PreviewOptions` asked for it.
    """

    candidates: np.ndarray | None
    status: str
    detail: str
    weights: np.ndarray | None = None
    lines: tuple[TextLine, ...] = ()
    size: tuple[int, int] | None = None
    num_pages: int = 1
    preview: Preview | None = None

    @property
    def num_candidates(self) -> int:
        """The length of `candidates`, 0 for None."""
        return 0 if self.candidates is None else len(self.candidates)

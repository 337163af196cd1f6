"""What is read at a time: a file, or a page of it, or a region of a page."""

from typing import Literal, NamedTuple

from cnn.page_region import Region

# What is expected in a picture: one character, one number, or any number of numbers.
Layout = Literal["character", "line", "page"]


class Source(NamedTuple):
    """What is read at a time.

    Attributes:
      path: a local path or URI, or with `content` the name to report.
      page: number of the page, counted from 1. None is the only page of the file, or
        the first one.
      region: the part of the page to read. None is all of it.
      failure: why the source cannot be read, or empty. It is then not opened.
      content: the file's bytes, in place of what is at `path`.
    """

    path: str
    page: int | None = None
    region: Region | None = None
    failure: str = ""
    content: bytes | None = None


class CountOptions(NamedTuple):
    """Asks for the number of pages of the sources' files."""


class ReadOptions(NamedTuple):
    """How all sources of a run are preprocessed.

    Attributes:
      preprocessing: a key of `cnn.preprocessing.pipeline.PREPROCESSING`.
      layout: what is expected in a picture.
    """

    preprocessing: str
    layout: Layout = "character"


class PreviewOptions(NamedTuple):
    """Asks for a picture of the sources, for people to look at.

    Attributes:
      max_side: longest side of the picture, in pixels.
      is_lossless: whether it must have the same pixels as the source.
      preprocessing: the preprocessing whose ink is shown. None shows none.
      candidate: index of the ink among the candidates of the source.
    """

    max_side: int
    is_lossless: bool = False
    preprocessing: str | None = None
    candidate: int = 0


# What a process that decodes files can be asked for.
WorkOptions = ReadOptions | CountOptions | PreviewOptions

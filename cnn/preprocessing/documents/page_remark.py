"""Tells that a file has pages that are not read."""

from cnn.preprocessing.picture_file import PAGE_SUFFIXES
from cnn.preprocessing.source import Source


def may_have_pages(path: str) -> bool:
    """Tells by the name of a file whether its pages are counted."""
    return path.lower().endswith(PAGE_SUFFIXES)


def describe_other_pages(source: Source, num_pages: int) -> str:
    """Returns a remark on a source that is the first page of several, or nothing.

    Args:
      source: what is read. A source that names its page needs no remark.
      num_pages: number of pages of the file.
    """
    if source.page is not None or num_pages == 1:
        return ""
    remark = f"page 1 of {num_pages:,}"
    # Bytes without a name are no file that could be renamed.
    if not source.path or may_have_pages(source.path):
        return remark
    suffixes = ", ".join(PAGE_SUFFIXES)
    return f"{remark}; only files named {suffixes} are read page by page"

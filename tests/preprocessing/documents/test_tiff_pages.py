"""Directories of TIFF files, written by hand."""

import io
import struct

import pytest

from cnn.preprocessing.documents.tiff_pages import find_tiff_pages


def tiff(kinds: list[int | None], order: str = "<", last_offset: int = 0) -> bytes:
    """Writes a TIFF whose directories have one entry: NewSubfileType, or the width."""
    data = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    for i, kind in enumerate(kinds):
        tag, value = (256, 5) if kind is None else (254, kind)
        end = len(data) + 18
        offset = last_offset if i == len(kinds) - 1 else end
        data += struct.pack(order + "HHHIII", 1, tag, 4, 1, value, offset)
    return data


def big_tiff(kinds: list[int]) -> bytes:
    data = b"MM" + struct.pack(">HHHQ", 43, 8, 0, 16)
    for i, kind in enumerate(kinds):
        offset = 0 if i == len(kinds) - 1 else len(data) + 36
        data += struct.pack(">QHHQI4xQ", 1, 254, 4, 1, kind, offset)
    return data


def find(data: bytes, max_pages: int = 1000) -> list[int]:
    return find_tiff_pages(io.BytesIO(data), max_pages)


@pytest.mark.parametrize("order", ["<", ">"])
def test_thumbnails_and_masks_are_no_pages(order):
    # 1 is a smaller copy, 2 a page of several, 4 a mask.
    kinds = [None, 1, 2, 4, 3, 0, 5]
    assert find(tiff(kinds, order)) == [0, 2, 5]


def test_directories_of_big_tiff_are_found():
    assert find(big_tiff([0, 1, 2])) == [0, 2]


def test_a_file_of_thumbnails_has_them_as_pages():
    assert find(tiff([1, 1])) == [0, 1]


def test_a_loop_of_directories_ends():
    assert find(tiff([0, 0, 0], last_offset=8)) == [0, 1, 2]


def test_the_search_ends_after_the_largest_number_of_pages():
    assert len(find(tiff([0] * 50), max_pages=20)) == 21


@pytest.mark.parametrize("length", range(60))
def test_a_cut_file_has_at_least_one_page(length):
    assert find(tiff([0, 0, 0])[:length])[0] == 0


def test_an_offset_behind_the_end_ends_the_chain():
    assert find(tiff([0, 0], last_offset=1 << 31)) == [0, 1]

"""The natural order of many names, in little memory."""

import re
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from cnn.image_files.natural_sort import SortedNames, natural_key

NAMES = st.lists(st.text("ab0129/. é\udcff\n", max_size=9), max_size=40)


def split_numbers(name: str) -> list:
    """The order by its definition: texts and numbers by turns."""
    parts = re.split("([0-9]+)", name)
    return [
        int(part) if i % 2 else part.encode("utf-8", "surrogateescape")
        for i, part in enumerate(parts)
    ]


@given(NAMES, st.integers(1, 7), st.integers(1, 5))
def test_names_come_in_natural_order_whatever_the_length_of_runs(names, run, block):
    sorted_names = SortedNames(iter(names), run_length=run, block_length=block)
    expected = sorted(names, key=lambda name: (split_numbers(name), name))
    assert list(sorted_names) == expected
    assert list(sorted_names) == expected  # Once more.
    assert len(sorted_names) == len(names)


def test_names_that_only_differ_by_a_number_at_the_end_are_in_order():
    pages = ["page2", "page", "page10", "page1", "a/page", "page.png2", "page.png"]
    assert sorted(pages, key=natural_key) == [
        "a/page", "page", "page1", "page2", "page10", "page.png", "page.png2",
    ]  # fmt: skip


def test_a_name_takes_few_bytes():
    count = 200_000
    tracemalloc.start()
    names = SortedNames(f"folder{i % 100}/scan of page {i}.png" for i in range(count))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(names) == count
    assert size < 16 * count

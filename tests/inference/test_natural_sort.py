"""The natural order of many names, in little memory."""

import re
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from cnn.inference import natural_sort

NAMES = st.lists(st.text("ab0129/. é\udcff\n", max_size=9), max_size=40)


def parts(name: str) -> list:
    """The order by its definition: texts and numbers by turns."""
    found = re.split("([0-9]+)", name)
    return [
        int(part) if i % 2 else part.encode("utf-8", "surrogateescape")
        for i, part in enumerate(found)
    ]


@given(NAMES, st.integers(1, 7), st.integers(1, 5))
def test_names_come_in_natural_order_in_however_many_runs_they_were_sorted(
    found, run, block
):
    before = natural_sort._RUN_LENGTH, natural_sort._BLOCK_LENGTH
    natural_sort._RUN_LENGTH, natural_sort._BLOCK_LENGTH = run, block
    try:
        held = natural_sort.SortedNames(iter(found))
    finally:
        natural_sort._RUN_LENGTH, natural_sort._BLOCK_LENGTH = before
    expected = sorted(found, key=lambda name: (parts(name), name))
    assert list(held) == expected
    assert list(held) == expected  # Once more.
    assert len(held) == len(found)


def test_a_name_takes_few_bytes():
    count = 200_000
    tracemalloc.start()
    held = natural_sort.SortedNames(
        f"folder{i % 100}/scan of page {i}.png" for i in range(count)
    )
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(held) == count
    assert size < 16 * count

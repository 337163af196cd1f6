"""The natural order of many names, in little memory."""

import re
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from cnn import names

NAMES = st.lists(st.text("ab0129/. é\udcff\n", max_size=9), max_size=40)


def parts(name: str) -> list:
    """The order by its definition: texts and numbers by turns."""
    found = re.split("([0-9]+)", name)
    return [int(part) if i % 2 else part.encode("utf-8", "surrogateescape") for i, part in enumerate(found)]


@given(NAMES, st.integers(1, 7), st.integers(1, 5))
def test_names_come_in_natural_order_in_however_many_runs_they_were_sorted(found, run, block):
    before = names._RUN, names._BLOCK
    names._RUN, names._BLOCK = run, block
    try:
        held = names.Names(iter(found))
    finally:
        names._RUN, names._BLOCK = before
    expected = sorted(found, key=lambda name: (parts(name), name))
    assert list(held) == expected
    assert list(held) == expected  # Once more.
    assert len(held) == len(found)


def test_a_name_takes_few_bytes():
    count = 200_000
    tracemalloc.start()
    held = names.Names(f"folder{i % 100}/scan of page {i}.png" for i in range(count))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(held) == count
    assert size < 16 * count

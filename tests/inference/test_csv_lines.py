"""Lines of a CSV: quoted, parsed back, and found in a torn file."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from cnn.inference.csv_lines import ENCODING, csv_line, read_csv_rows

CELLS = st.lists(st.text("ab7,\"'\r\n=-\udcff ü", max_size=6), min_size=2, max_size=2)


@given(CELLS)
def test_a_row_parses_back_to_its_cells(row):
    text = csv_line(row)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [row]


@given(st.lists(CELLS, max_size=5), st.integers(0, 10**6))
def test_of_a_file_torn_anywhere_the_whole_rows_are_found(rows, cut):
    lines = [csv_line(row).encode(**ENCODING) for row in rows]
    ends = [sum(map(len, lines[: i + 1])) for i in range(len(lines))]
    cut %= sum(map(len, lines)) + 1
    found = list(read_csv_rows(io.BytesIO(b"".join(lines)[:cut])))
    assert found == [
        (row, end) for row, end in zip(rows, ends, strict=True) if end <= cut
    ]


def test_numbers_have_six_decimals_and_missing_values_are_empty():
    assert csv_line(["a", 0.1234567, None, 1.0]) == "a,0.123457,,1.000000\n"

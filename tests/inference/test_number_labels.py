"""True numbers from names and from a CSV."""

from pathlib import Path

import pytest

from cnn.image_files.listing import InputFiles, PathError
from cnn.inference.number_labels import find_number_labels

DIGITS = tuple("0123456789")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("scan_0427.png", "0427"),
        ("a/scan_1_13.png", "13"),
        ("12/scan_7.png", "7"),
        ("12/scan.png", "12"),
        ("12/scan_x.png", "12"),
        ("12/a/scan.png", ""),
        ("0427.png", ""),
        ("scan_4x.png", ""),
        ("scan_٣.png", ""),
    ],
)
def test_the_label_is_the_end_of_the_name_or_the_folder(name, label):
    files = InputFiles("1850", [name, "known_1.png"])
    find_label = find_number_labels(files, Path("names"), DIGITS)
    assert find_label(name) == find_label(name, 3, "total") == label


def test_names_count_only_if_asked_for():
    files = InputFiles("scans", ["IMG_2041.png"])
    assert find_number_labels(files, None, DIGITS) is None
    assert find_number_labels(files, Path("none"), DIGITS) is None
    with pytest.raises(PathError, match="--labels names: no name has a number at its"):
        find_number_labels(InputFiles("s", ["a.png"]), Path("names"), DIGITS)


def test_a_table_may_tell_the_page_and_the_region(tmp_path):
    table = tmp_path / "l.csv"
    table.write_text(
        "path,label,region,page\n"
        "a.pdf,0427,id,1\n"
        "a.pdf,13,id,\n"
        "a.pdf,8.5,,2\n"
        "b.pdf,99\n"
        "b.pdf,7,sum,3\n"
        "c.pdf,,id,1\n"
    )
    files = InputFiles("", ["a.pdf", "b.pdf", "c.pdf"])
    find_label = find_number_labels(files, table, DIGITS)
    assert find_label("a.pdf", 1, "id") == "0427"
    assert find_label("a.pdf", 3, "id") == "13"
    assert find_label("a.pdf", 2, "sum") == "8.5"
    assert find_label("a.pdf", 1, "sum") == ""
    assert find_label("b.pdf", 3, "sum") == "7"
    assert find_label("b.pdf", 4, "") == "99"
    assert find_label("c.pdf", 1, "id") == ""


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a.png,4x\n", "with a label of the characters 0, 1, .*, 9 and .,-/:; found a"),
        ("a.png,4 2\n", "found a.png,4 2"),
        ("path,label,page\na.png,1,2\na.png,3,2\n", "a.png 2 has two labels, 1 and 3"),
        ("a.png,1\na.png,3\n", "a.png has two labels, 1 and 3; expected one per path"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, rows, words):
    (tmp_path / "l.csv").write_text(rows)
    files = InputFiles("", ["a.png"])
    with pytest.raises(PathError, match=words):
        find_number_labels(files, tmp_path / "l.csv", DIGITS)

"""True labels from a CSV, from folders and from the names of files."""

import pytest

from cnn.inference.labels import find_labels
from cnn.inference.listing import InferError, InputFiles

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("7/scan.png", "7"),
        ("a/7/scan.png", "7"),
        ("7/a/scan.png", ""),
        ("7/scan_3.png", "7"),
        ("scan_3.png", "3"),
        ("a/scan_3.tar.png", ""),
        ("scan_33.png", ""),
        ("3.png", ""),
        ("scan_.png", ""),
    ],
)
def test_a_label_is_the_folder_or_the_end_of_the_name(name, label):
    find_label = find_labels(InputFiles("scans", [name, "5/a.png"]), None, DIGITS)
    assert find_label(name) == label
    alone = find_labels(InputFiles("scans", [name]), None, DIGITS)
    assert (alone is None) == (label == "")


def test_the_input_folder_may_be_a_label_itself():
    find_label = find_labels(InputFiles("scans/7", ["a.png", "b/c.png"]), None, DIGITS)
    assert (find_label("a.png"), find_label("b/c.png")) == ("7", "")


@pytest.mark.parametrize(
    "header", ["path,label\n", "Path , LABEL\n", "\ufeffpath,label\n", ""]
)
def test_a_csv_gives_labels_and_leaves_rows_without_one_unlabeled(tmp_path, header):
    table = tmp_path / "l.csv"
    rows = 'a.png, 3 \n\n./b.png,\n"c,d.png",5,more\n./e.png,7\n'
    table.write_text(header + rows, encoding="utf-8")
    names = ["a.png", "b.png", "c,d.png", "e.png", "f.png"]
    find_label = find_labels(InputFiles("", names), table, DIGITS)
    assert [find_label(name) for name in names] == ["3", "", "5", "7", ""]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("b.png,7\n", "none of its paths is that of a file in --input, like a.png"),
        ("a.png,x\n", "with a label among 0, 1, 2, 3, .*, 8, 9; found a.png,x"),
        ("a.png\n", "l.csv: expected rows of path,label with a label .* found a.png"),
        (None, "l.csv: the labels cannot be read: No such file or directory"),
    ],
)
def test_a_csv_of_something_else_is_refused(tmp_path, content, words):
    if content is not None:
        (tmp_path / "l.csv").write_text(content)
    with pytest.raises(InferError, match=words):
        find_labels(InputFiles("", ["a.png"]), tmp_path / "l.csv", DIGITS)

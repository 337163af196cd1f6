"""True labels from a CSV, whatever wrote it."""

import codecs
import unicodedata

import pytest

from cnn.image_files.labels import find_labels
from cnn.image_files.listing import InputFiles, PathError

DIGITS = "0123456789"


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
        ("b.png,7\n", "none of its paths is that of an input file, like a.png"),
        ("a.png,x\n", "with a label among 0, 1, 2, 3, .*, 8, 9; found a.png,x"),
        ("a.png,1\na.png,2\n", "l.csv: a.png has two labels, 1 and 2; expected one"),
        ("a.png\n", "l.csv: expected rows of path,label with a label .* found a.png"),
        (None, "l.csv: the labels cannot be read: No such file or directory"),
    ],
)
def test_a_csv_of_something_else_is_refused(tmp_path, content, words):
    if content is not None:
        (tmp_path / "l.csv").write_text(content)
    with pytest.raises(PathError, match=words):
        find_labels(InputFiles("", ["a.png"]), tmp_path / "l.csv", DIGITS)


@pytest.mark.parametrize("name_form", ["NFC", "NFD"])
@pytest.mark.parametrize("table_form", ["NFC", "NFD"])
def test_paths_match_by_normal_form_and_either_separator(
    tmp_path, capsys, name_form, table_form
):
    table = tmp_path / "l.csv"
    rows = unicodedata.normalize(table_form, "./sub\\é.png,7\nsub//b.png,3\n")
    table.write_text(rows, encoding="utf-8")
    names = [unicodedata.normalize(name_form, "sub/é.png"), "sub/b.png"]
    find_label = find_labels(InputFiles("", names), table, DIGITS)
    assert [find_label(name) for name in names] == ["7", "3"]
    assert capsys.readouterr().err == ""


def test_an_exact_path_comes_before_another_spelling(tmp_path):
    table = tmp_path / "l.csv"
    table.write_text("a\\b.png,1\na/b.png,2\n")
    names = ["a\\b.png", "a/b.png"]
    find_label = find_labels(InputFiles("", names), table, DIGITS)
    assert [find_label(name) for name in names] == ["1", "2"]


def test_labels_and_files_without_a_partner_are_counted(tmp_path, capsys):
    table = tmp_path / "l.csv"
    table.write_text("a.png,1\nx.png,2\ny.png,3\n")
    find_labels(InputFiles("", ["a.png", "b.png", "c.png", "d.png"]), table, DIGITS)
    assert capsys.readouterr().err == (
        f"warning: {table}: labels that match no file: 2, like x.png\n"
        f"warning: {table}: files without a label: 3, like b.png\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF16_LE + "path\tlabel\r\né.png\t7\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "é.png,7\n".encode("utf-16-be"),
        codecs.BOM_UTF8 + "path;label\r\né.png;7\r\n".encode(),
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path, data):
    (tmp_path / "l.csv").write_bytes(data)
    find_label = find_labels(InputFiles("", ["é.png"]), tmp_path / "l.csv", DIGITS)
    assert find_label("é.png") == "7"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a.png,1\né.png,7\n".encode("latin-1"), r"expected UTF-8, .* in \\xe9\.png; "),
        (
            "a.png,1\n".encode("utf-16-le"),
            "is no text in UTF-8; save the labels as CSV",
        ),
        (codecs.BOM_UTF16_LE + b"a", "the labels cannot be read: .*utf-16"),
    ],
)
def test_a_table_in_another_encoding_is_refused(tmp_path, data, words):
    (tmp_path / "l.csv").write_bytes(data)
    files = InputFiles("", ["a.png", "é.png"])
    with pytest.raises(PathError, match=words):
        find_labels(files, tmp_path / "l.csv", DIGITS)


def test_a_name_that_is_not_utf8_matches_its_own_bytes(tmp_path):
    (tmp_path / "l.csv").write_bytes(b"\xff.png,7\n")
    find_label = find_labels(InputFiles("", ["\udcff.png"]), tmp_path / "l.csv", DIGITS)
    assert find_label("\udcff.png") == "7"

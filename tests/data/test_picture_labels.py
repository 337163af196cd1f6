import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn.data.picture_labels import class_in_name, find_picture_labels
from cnn.image_files.listing import InputFiles, PathError

WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("7/a.png", "7"),
        ("train/7/a_3.png", "7"),
        ("test/A/b.png", "A"),
        ("mine/7/a.png", "7"),
        ("test/a_7.png", "7"),
        ("a_b_cat.png", "cat"),
        ("tests/a_7.png", "tests"),
        ("a7.png", ""),
        ("a_.png", ""),
        ("test/a.png", ""),
    ],
)
def test_a_folder_names_the_class_and_else_the_end_of_the_file_name(name, label):
    assert class_in_name(name) == label


@given(WORDS, WORDS, WORDS)
def test_a_class_is_found_wherever_it_can_stand(stem, label, other):
    assert class_in_name(f"{stem}_{label}.png") == label
    if label not in ("train", "training", "test"):
        assert class_in_name(f"{label}/{stem}_{other}.png") == label
    assert class_in_name(f"test/{label}/{stem}.png") == label


def test_a_table_may_have_any_classes(tmp_path):
    table = tmp_path / "classes.csv"
    table.write_text("path,label\nsub/a.png,ß\nb.png,two words\n")
    files = InputFiles(str(tmp_path), ["sub/a.png", "b.png", "c.png"])
    labels = find_picture_labels(files, table)
    assert labels == {"sub/a.png": "ß", "b.png": "two words", "c.png": ""}


def test_a_table_of_other_files_is_refused(tmp_path):
    table = tmp_path / "classes.csv"
    table.write_text("path,label\nz.png,1\n")
    files = InputFiles(str(tmp_path), ["a.png"])
    with pytest.raises(PathError, match="none of its paths is that of an input file"):
        find_picture_labels(files, Path(table))

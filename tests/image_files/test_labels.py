"""True labels from folders, from the names of files and from a CSV."""

from pathlib import Path

import pytest

from cnn.image_files.labels import find_labels
from cnn.image_files.listing import InputFiles, PathError

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
    names = Path("names")
    find_label = find_labels(InputFiles("scans", [name, "5/a.png"]), names, DIGITS)
    assert find_label(name) == label
    if not label:
        with pytest.raises(PathError, match="--labels names: no name of a folder or "):
            find_labels(InputFiles("scans", [name]), names, DIGITS)


def labels_of(names):
    files = InputFiles("scans", names)
    find_label = find_labels(files, None, DIGITS)
    return find_label and "".join(find_label(file.name) or "-" for file in files)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["001_7.png", "002_3.png"], "73"),
        (["001_7.png", "002_3.png", "003.png"], "73-"),
        (["a_0.png", "a_3.png", "b_4.png", "b_5.png", "b_9.png", "c_8.png"], "034598"),
        (["7/IMG_1.png", "7/IMG_2.png", "8/IMG_3.png"], "778"),
        (["7/a.png", "IMG_1.png", "IMG_2.png", "IMG_3.png"], "7---"),
    ],
)
def test_names_that_vary_have_labels(names, labels, capsys):
    assert labels_of(names) == labels
    words = capsys.readouterr().err
    assert words.startswith("labels are in the names of folders")
    assert words.endswith("; --labels none: no labels\n")
    assert find_labels(InputFiles("scans", names), Path("none"), DIGITS) is None


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{i}.png" for i in range(1, 15)],
        [f"IMG_{i}.png" for i in range(1, 10)],
        [f"scan_{i}.png" for i in range(10)],
        [f"IMG_{i}.png" for i in (3, 5, 9)],
        [f"a/page_{i}.png" for i in range(1, 13)],
        [f"{page}_{i}.png" for page in "1234" for i in range(1, 7)],
        [f"2024-05-{day}_1.png" for day in range(10, 20)],
        ["photo_3.jpg"],
        ["001_7.png", "002_3.png", "a.png", "b.png"],
        [f"{i}/a.png" for i in range(1, 15)],
    ],
)
def test_running_numbers_are_no_labels(names, capsys):
    assert labels_of(names) is None
    assert capsys.readouterr().err == (
        "numbers in the names are taken for running numbers; if they are labels, give "
        "--labels names\n"
    )
    forced = find_labels(InputFiles("scans", names), Path("names"), DIGITS)
    assert any(forced(name) for name in names)


def test_names_without_numbers_are_passed_over_in_silence(capsys):
    assert labels_of(["a.png", "b_33.png", "IMG_0001.png"]) is None
    assert capsys.readouterr().err == ""


def test_the_input_folder_may_be_a_label_itself():
    find_label = find_labels(InputFiles("scans/7", ["a.png", "b/c.png"]), None, DIGITS)
    assert (find_label("a.png"), find_label("b/c.png")) == ("7", "")


@pytest.mark.parametrize(
    ("class_names", "label"),
    [("ABC", "A"), ("ABCa", "a"), ("abc", "a"), ("0123", ""), (("a1", "b1"), "")],
)
def test_a_letter_names_the_class_of_its_other_case_where_both_are_one(
    class_names, label, tmp_path
):
    table = tmp_path / "labels.csv"
    for name in ("a/scan.png", "scan_a.png"):
        files = InputFiles("scans", [name, f"x_{class_names[1]}.png"])
        assert find_labels(files, Path("names"), class_names)(name) == label
        table.write_text(f"{name},a")
        if label:
            assert find_labels(files, table, class_names)(name) == label
        else:
            with pytest.raises(PathError, match="path,label with a label among"):
                find_labels(files, table, class_names)

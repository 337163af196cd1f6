"""Which files of a folder are inputs, and which are left out."""

from pathlib import Path

import pytest

from cnn.image_files import listing


@pytest.fixture
def folder(tmp_path):
    """Ten files at several depths, hidden ones and links among them."""
    top = tmp_path / "scans"
    for name in ("b10.png", "b2.png", "sub/c.png", "sub/deep/d.jpg", "7.png/e.png"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    for name in (".hidden.png", ".cache/f.png", "notes.txt"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    (top / "link").symlink_to("sub")
    (top / "loop").symlink_to("loop")
    return top


def names_of(files):
    return [file.name for file in files]


def test_files_are_listed_recursively_in_natural_order(folder, capsys):
    files = listing.list_inputs(folder, recursive=True)
    names = ["7.png", "7.png/e.png", "b2.png", "b10.png", "loop", "notes.txt"]
    assert names_of(files) == [*names, "sub/c.png", "sub/deep/d.jpg"]
    assert len(files) == 8
    assert {file.path for file in files} == {str(folder / n) for n in names_of(files)}
    words = capsys.readouterr().err
    assert words == f"warning: {folder}/link: left out: a link to a folder\n"


def test_sub_folders_are_left_out_on_request(folder):
    files = listing.list_inputs(str(folder), recursive=False)
    assert names_of(files) == ["7.png", "b2.png", "b10.png", "loop", "notes.txt"]


def test_excluded_files_are_left_out_with_their_partial_files(folder, tmp_path):
    (folder / "o.csv").touch()
    (folder / "o.csv.partial").touch()
    exclude = (folder / "o.csv", None, folder / "sub" / "deep", tmp_path / "b2.png")
    files = listing.list_inputs(folder, recursive=True, exclude=exclude)
    names = ["7.png", "7.png/e.png", "b2.png", "b10.png", "loop", "notes.txt"]
    assert names_of(files) == [*names, "sub/c.png"]


def test_an_input_may_be_one_file(folder):
    files = listing.list_inputs(folder / "b2.png", recursive=True)
    assert list(files) == [listing.InputFile(str(folder / "b2.png"), "b2.png")]


def test_a_folder_that_cannot_be_read_is_left_out_with_a_warning(
    folder, monkeypatch, capsys
):
    scandir = listing.os.scandir

    def refuse(path):
        if str(path).endswith("deep/"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(listing.os, "scandir", refuse)
    files = listing.list_inputs(folder, recursive=True)
    assert "sub/c.png" in names_of(files)
    assert "sub/deep/d.jpg" not in names_of(files)
    assert "sub/deep/: left out: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "recursive", "words"),
    [
        ("none", True, "none: no such folder or image; --input names what to read"),
        ("empty", True, "empty: nothing to read in this folder; expected PNG, JPEG"),
        ("empty", False, r"folder \(and --no-recursive leaves out the folders in it\)"),
    ],
)
def test_an_input_without_files_is_refused(tmp_path, name, recursive, words):
    (tmp_path / "empty").mkdir()
    with pytest.raises(listing.PathError, match=words):
        listing.list_inputs(tmp_path / name, recursive)


def test_a_uri_is_listed_without_hidden_files(folder):
    files = listing.list_inputs(f"file://{folder}", recursive=True)
    assert files.top == f"file://{folder}"
    assert "sub/deep/d.jpg" in names_of(files)
    assert not any("hidden" in name or "cache" in name for name in names_of(files))


def test_a_uri_without_files_is_refused(tmp_path):
    with pytest.raises(listing.PathError, match="nothing to read in this folder; exp"):
        listing.list_inputs(f"file://{tmp_path}", recursive=True)
    with pytest.raises(listing.PathError, match="none: cannot be listed: "):
        listing.list_inputs(f"file://{tmp_path}/none", recursive=True)


def test_a_uri_keeps_its_slashes():
    for uri in ("s3://bucket/scans", "file:///mnt/scans", "scans", "/a/b", "c:/d"):
        assert listing.as_uri(Path(uri)) == uri


def test_several_inputs_are_listed_once_under_their_path_as_given(folder, monkeypatch):
    monkeypatch.chdir(folder)
    inputs = [
        Path(name) for name in ("sub", "b10.png", "sub/c.png", "./b2.png", "loop")
    ]
    files = listing.list_inputs([*inputs, folder / "b2.png"], recursive=True)
    assert names_of(files) == [
        "b2.png",
        "b10.png",
        "loop",
        "sub/c.png",
        "sub/deep/d.jpg",
    ]
    assert [file.path for file in files] == names_of(files)


def test_several_inputs_leave_out_excluded_files(folder, monkeypatch):
    monkeypatch.chdir(folder)
    inputs = [Path("b2.png"), Path("notes.txt"), folder / "sub"]
    exclude = [folder / "notes.txt", Path("sub/c.png")]
    files = listing.list_inputs(inputs, recursive=True, exclude=exclude)
    assert names_of(files) == [f"{folder}/sub/deep/d.jpg", "b2.png"]


def test_one_of_several_inputs_that_is_missing_is_refused(folder):
    inputs = [folder / "b2.png", folder / "none.png", folder / "b10.png"]
    with pytest.raises(
        listing.PathError, match=r"none\.png: no such folder or image; "
    ):
        listing.list_inputs(inputs, recursive=True)

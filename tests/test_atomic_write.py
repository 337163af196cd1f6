"""Files that are complete or unchanged."""

import errno
import os
import threading

import pytest

from cnn.atomic_write import atomic_write, remove_temporary_files


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    return path


def test_a_file_is_replaced_at_the_end(old_file):
    with atomic_write(old_file) as temporary:
        temporary.write_text("new")
        assert temporary.parent == old_file.parent
        assert old_file.read_text() == "old"
    assert old_file.read_text() == "new"
    assert os.listdir(old_file.parent) == ["a.txt"]


def test_an_exception_leaves_the_file_as_it_was(old_file):
    def write_half():
        with atomic_write(old_file) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert old_file.read_text() == "old"
    assert os.listdir(old_file.parent) == ["a.txt"]


def test_a_link_is_followed(old_file, tmp_path):
    (tmp_path / "link").symlink_to(old_file)
    with atomic_write(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert old_file.read_text() == "new"


def test_a_pipe_is_written_itself(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    with atomic_write(pipe) as temporary:
        temporary.write_text("new")
    reader.join()
    assert found == ["new"]
    assert pipe.is_fifo()


def test_errors_name_the_file_and_not_the_temporary_one(tmp_path):
    path = tmp_path / "none" / "a.txt"
    with pytest.raises(OSError, match="No such file") as error:  # noqa: SIM117
        with atomic_write(path) as temporary:
            temporary.write_text("new")
    assert error.value.filename == str(path)
    with pytest.raises(OSError, match="No space") as error, atomic_write(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(path)


def test_a_name_of_any_length_can_be_written(tmp_path):
    path = tmp_path / ("x" * 251 + ".txt")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_unfinished_files_can_be_removed_before_the_process_exits(old_file):
    with atomic_write(old_file) as temporary:
        temporary.write_text("half")
        remove_temporary_files()
        assert not temporary.exists()
        temporary.write_text("new")
    remove_temporary_files()
    assert old_file.read_text() == "new"

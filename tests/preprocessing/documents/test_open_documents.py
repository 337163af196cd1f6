"""The last document stays open, and is closed in the end."""

import io
import os
import threading

import pytest

from cnn.preprocessing.documents.open_documents import (
    keep_last_document,
    open_document,
)


class Text:
    """Stands for a document: it notes what is opened and closed."""

    opened: list[bytes]
    closed: list[bytes]

    def __init__(self, file) -> None:
        self.file = file
        self.content = file.read()
        self.num_pages = 1
        Text.opened.append(self.content)

    def close(self) -> None:
        assert not self.file.closed
        Text.closed.append(self.content)


@pytest.fixture
def texts(tmp_path):
    Text.opened, Text.closed = [], []
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_text(path.name)
    return paths


def read(path) -> bytes:
    with open(path, "rb") as file, open_document(file, Text) as document:
        return document.content


def test_a_document_is_opened_once_while_it_is_the_last(texts):
    with keep_last_document():
        assert [read(path) for path in [texts[0]] * 3 + [texts[1]] * 2] == [
            *[b"a"] * 3,
            *[b"b"] * 2,
        ]
        assert Text.opened == [b"a", b"b"]
        assert Text.closed == [b"a"]
    assert Text.closed == [b"a", b"b"]


def test_inner_blocks_do_not_close_it(texts):
    with keep_last_document():
        for _ in range(2):
            with keep_last_document():
                read(texts[0])
        assert Text.closed == []
    assert (Text.opened, Text.closed) == ([b"a"], [b"a"])


def test_nothing_is_kept_without_a_block(texts):
    read(texts[0])
    read(texts[0])
    assert Text.opened == Text.closed == [b"a", b"a"]


def test_a_file_that_has_changed_is_opened_again(texts):
    with keep_last_document():
        read(texts[0])
        texts[1].write_text("changed")
        os.replace(texts[1], texts[0])
        assert read(texts[0]) == b"changed"


def test_a_document_that_has_failed_is_opened_again(texts):
    with keep_last_document():
        with (
            pytest.raises(ValueError, match="damaged"),
            open(texts[0], "rb") as file,
            open_document(file, Text),
        ):
            raise ValueError("damaged")
        assert Text.closed == [b"a"]
        assert read(texts[0]) == b"a"


def test_no_descriptor_is_left_open(texts):
    before = len(os.listdir("/proc/self/fd"))
    with keep_last_document():
        for _ in range(50):
            for path in texts:
                read(path)
        assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_bytes_are_not_kept(texts):
    with keep_last_document():
        for _ in range(2):
            with open_document(io.BytesIO(b"c"), Text) as document:
                assert document.content == b"c"
    assert Text.opened == Text.closed == [b"c", b"c"]


def test_threads_have_their_own_documents(texts):
    with keep_last_document():
        read(texts[0])
        other = threading.Thread(target=read, args=(texts[0],))
        other.start()
        other.join()
        assert Text.opened == [b"a", b"a"]
        assert Text.closed == [b"a"]

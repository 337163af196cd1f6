"""Files, folders and pipes, opened once."""

import io
import os

import pytest
from PIL import Image

from cnn.preprocessing import small_png
from cnn.preprocessing.decode import UnreadableImageError
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.pipeline import preprocess_sources
from cnn.preprocessing.source import ReadOptions, Source
from tests.preprocessing.drawings import unreadable_reason


def test_a_file_that_is_no_image_says_why(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("nowhere")
    reasons = {
        path.name: unreadable_reason(path) for path in sorted(tmp_path.iterdir())
    }
    assert reasons == {
        "empty.png": "empty file",
        "text.png": "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM, AVIF, HEIC, PDF)",
        "folder.png": "a folder, not an image",
        "pipe.png": "not a regular file",
        "link.png": "a link to a file that is not there",
    }
    assert unreadable_reason(tmp_path / "none.png") == "no such file"
    assert "null byte" in unreadable_reason(tmp_path / "a\0b.png")


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("size", [1, small_png.MAX_BYTES, small_png.MAX_BYTES + 1])
def test_a_small_file_is_read_and_a_large_one_only_opened(tmp_path, size, scheme):
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    with open_source(Source(f"{scheme}{tmp_path / 'a'}")) as source:
        assert isinstance(source, bytes) == (size <= small_png.MAX_BYTES)
        assert to_file_object(source).read() == content


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_an_error_while_a_file_is_read_is_a_reason_too(tmp_path, scheme):
    (tmp_path / "a").write_bytes(b"content")
    with (
        pytest.raises(UnreadableImageError, match="cannot be read: no space left"),
        open_source(Source(f"{scheme}{tmp_path / 'a'}")),
    ):
        raise OSError(28, "No space left on device")


def test_an_empty_or_missing_uri_says_why(tmp_path):
    (tmp_path / "empty.png").touch()
    assert unreadable_reason(f"file://{tmp_path}/empty.png") == "empty file"
    assert unreadable_reason(f"file://{tmp_path}/none.png") == "no such file"


@pytest.mark.parametrize("size", [1, small_png.MAX_BYTES + 1])
def test_bytes_stand_for_the_file_of_their_path(tmp_path, size):
    content = os.urandom(size)
    with open_source(Source(str(tmp_path / "none.png"), content=content)) as source:
        assert to_file_object(source).read() == content


def test_no_bytes_are_an_empty_file(tmp_path):
    (tmp_path / "a.png").write_bytes(b"ink")
    empty = Source(str(tmp_path / "a.png"), content=b"")
    (file,) = preprocess_sources([empty], ReadOptions("mnist"))
    assert (file.status, file.detail) == ("unreadable", "empty file")


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("", "page 1 of 2"),
        ("a.tiff", "page 1 of 2"),
        ("a.png", "page 1 of 2; only files named .pdf"),
    ],
)
def test_bytes_of_several_pages_say_so(digit_paths, name, remark):
    file = io.BytesIO()
    with Image.open(digit_paths[0]) as page:
        page.save(file, "TIFF", save_all=True, append_images=[page])
    source = Source(name, content=file.getvalue())
    (result,) = preprocess_sources([source], ReadOptions("mnist"))
    assert result.detail.startswith(remark)
    assert ("only files" in result.detail) == ("only files" in remark)

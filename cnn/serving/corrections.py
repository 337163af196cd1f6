"""Keeps corrected pictures in a folder per class, for `bin/train --images`."""

import contextlib
import hashlib
from pathlib import Path

from cnn.atomic_write import atomic_write
from cnn.errors import Error
from cnn.image_files.class_folders import to_file_name
from cnn.preprocessing.source import PreviewOptions, Source
from cnn.serving.errors import RequestError, status_of_unreadable
from cnn.serving.reader import Reader

# Longest side of a kept picture, in pixels: that which is read of a character.
_MAX_SIDE = 1024
# Most characters of the name of a class.
MAX_CLASS_NAME = 64
_DIGEST_BYTES = 16
# Folders that `bin/train --images` takes for splits.
_SPLITS = ("train", "training", "test")


class Corrections:
    """A folder of corrected pictures, named by their content.

    A picture that is corrected again moves to its new class.
    """

    def __init__(self, folder: Path) -> None:
        """Creates the folder.

        Raises:
          Error: it cannot be created.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Error(
                f"--corrections: {folder}: cannot create this folder: {error.strerror}"
            ) from error
        self.folder = folder

    async def add(self, reader: Reader, source: Source, class_name: str) -> str:
        """Keeps a picture, and returns its path in the folder.

        Args:
          reader: decodes the picture.
          source: the picture, or a page or region of a file.
          class_name: its true class.

        Raises:
          RequestError: the picture cannot be read or kept, or the name is no class.
        """
        check_class_name(class_name)
        options = PreviewOptions(_MAX_SIDE, is_lossless=True)
        file = await reader.preprocess(source, options)
        if file.preview is None:
            raise RequestError(status_of_unreadable(file.detail), file.detail)
        try:
            return self._keep(file.preview.picture, class_name)
        except OSError as error:
            raise RequestError(
                503, f"the correction cannot be kept: {error.strerror}"
            ) from error

    def _keep(self, png: bytes, class_name: str) -> str:
        digest = hashlib.blake2b(png, digest_size=_DIGEST_BYTES).hexdigest()
        name = f"{digest}.png"
        path = self.folder / to_file_name(class_name) / name
        path.parent.mkdir(exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_bytes(png)
        for other in self.folder.glob(f"*/{name}"):
            if other != path:
                with contextlib.suppress(FileNotFoundError):
                    other.unlink()
                with contextlib.suppress(OSError):  # It has other pictures.
                    other.parent.rmdir()
        return f"{path.parent.name}/{name}"


def check_class_name(name: str) -> None:
    """Checks that a text can be a class.

    Raises:
      RequestError: it cannot.
    """
    if not name:
        raise RequestError(400, "class: expected the true class, got nothing")
    if len(name) > MAX_CLASS_NAME or not name.isprintable() or name != name.strip():
        raise RequestError(
            400,
            f"class: expected at most {MAX_CLASS_NAME} printable characters, without "
            "spaces at the ends",
        )
    if name in _SPLITS:
        raise RequestError(
            400, f"class: {name} is a split of bin/train --images, no class"
        )

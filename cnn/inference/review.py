"""Copies pictures that a person should check into a folder per prediction.

The person moves what is wrong into the folder of its class. The folders are then
labeled pictures for `bin/train --images`.
"""

import hashlib
import os
import sys
from collections import defaultdict
from pathlib import Path

from cnn.atomic_write import atomic_write
from cnn.image_files.class_folders import to_file_name
from cnn.image_files.listing import InputFile, describe_name, to_path
from cnn.image_files.natural_sort import NAME_ENCODING
from cnn.inference.source_predictions import SourceResult
from cnn.preprocessing.decode import UnreadableImageError, View, open_image
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.preview import to_png
from cnn.preprocessing.source import Source

# Longest name of a copy. A name has at most 255 bytes, and `atomic_write` adds some.
_MAX_NAME_BYTES = 200
# Characters that are kept of a longer name, of at most 4 bytes each.
_KEPT_CHARACTERS = 40
_DIGEST_BYTES = 4


class ReviewFolder:
    """Folder to which unsure pictures are copied, once each.

    A copy has the same name in any folder of a class, where a person may have moved it.
    So a repeated run adds what is new. It overwrites nothing.

    Attributes:
      folder: its path.
      num_copied: number of pictures that were copied.
      num_known: number of pictures that were there before.
    """

    def __init__(self, folder: Path) -> None:
        """Lists the pictures in the folder, which exists."""
        self.folder = folder
        self.num_copied = 0
        self.num_known = 0
        self._paths: defaultdict[str, list[Path]] = defaultdict(list)
        for parent, _, names in os.walk(folder):
            for name in names:
                self._paths[name].append(Path(parent, name))

    def add(self, result: SourceResult) -> None:
        """Copies a source whose prediction is unsure to `FOLDER/PREDICTION/NAME`.

        Prints a warning if it cannot be copied.
        """
        for prediction in result.predictions:
            if prediction.status == "unsure":
                self._copy(result.file, result.source, prediction.prediction)

    @property
    def summary(self) -> str:
        """Says how many pictures were copied, and where to."""
        known = f" ({self.num_known:,} were there)" if self.num_known else ""
        return f"{self.num_copied:,} unsure copied to {self.folder}{known}"

    def _copy(self, file: InputFile, source: Source, class_name: str) -> None:
        try:
            data = _read_picture(source)
            name = self._find_free_name(to_path(review_name(file.name, source)), data)
            if name is None:
                self.num_known += 1
                return
            path = self.folder / to_path(to_file_name(class_name)) / name
            path.parent.mkdir(exist_ok=True)
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        except (UnreadableImageError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            name = describe_name(file.name)
            print(f"warning: {name}: not copied: {reason}", file=sys.stderr)
            return
        self._paths[name].append(path)
        self.num_copied += 1

    def _find_free_name(self, name: str, data: bytes) -> str | None:
        """Returns the name for a picture, or None if the folder has the picture.

        The folder may have another picture of the name, from another `--input`. The
        name then gets a digest of the content.
        """
        for path in self._paths.get(name, ()):
            if _has_content(path, data):
                return None
        if name in self._paths:
            name = _add_digest(name, data)
        return None if name in self._paths else name


def review_name(name: str, source: Source) -> str:
    """Returns the name of the copy of a source.

    Args:
      name: `InputFile.name`.
      source: the file, or a page or region of it, which becomes a PNG.

    Example:
      >>> review_name("scans/a.pdf", Source("/scans/a.pdf", page=2))
      'scans%2Fa.pdf.2.png'
    """
    parts = [name]
    if source.page is not None:
        parts.append(str(source.page))
    if source.region is not None and source.region.name:
        parts.append(source.region.name)
    if not _is_whole(source):
        parts.append("png")
    text = to_file_name(".".join(parts))
    encoded = text.encode(**NAME_ENCODING)
    if len(encoded) <= _MAX_NAME_BYTES:
        return text
    return _add_digest(text[-_KEPT_CHARACTERS:].lstrip("."), encoded)


def _is_whole(source: Source) -> bool:
    return source.page is None and source.region is None


def _add_digest(name: str, data: bytes) -> str:
    """Returns a name with a digest of some bytes before its ending."""
    stem, ending = os.path.splitext(name)
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
    return f"{stem}.{digest}{ending}"


def _has_content(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:  # For example moved meanwhile.
        return False


def _read_picture(source: Source) -> bytes:
    """Returns the content of a file, or a page or region of it as PNG."""
    with open_source(source) as opened:
        if _is_whole(source):
            return opened if isinstance(opened, bytes) else opened.read()
        view = View(source.page, source.region)
        with open_image(to_file_object(opened), view=view) as decoded:
            return to_png(decoded.image)

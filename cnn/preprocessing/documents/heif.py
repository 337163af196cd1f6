"""Opens HEIC and HEIF photographs."""

from typing import BinaryIO

from PIL import Image

from cnn.preprocessing.unreadable import UnreadableImageError, first_line


def open_heif(file: BinaryIO) -> Image.Image:
    """Opens the primary picture of a HEIF file, of which it has no other pages.

    The decoder turns the picture upright by the transformations of the file, and sets
    the EXIF orientation, which repeats them, to 1.

    Args:
      file: the file, at its beginning.

    Raises:
      UnreadableImageError: the file is damaged.
    """
    # Imported late: few runs read such files.
    import pillow_heif

    # As many threads as cores would need more memory than a worker may take.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    try:
        return pillow_heif.HeifImageFile(file)
    except SyntaxError as error:
        raise UnreadableImageError(f"damaged HEIC: {first_line(error)}") from error

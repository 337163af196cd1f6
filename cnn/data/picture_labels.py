"""Classes of a user's pictures, by the names of folders and files, or by a CSV."""

import os
from pathlib import Path

from cnn.image_files.class_folders import from_file_name
from cnn.image_files.label_table import find_labels_in_table
from cnn.image_files.listing import InputFiles

_TEST_FOLDER = "test"
# Folders at the top that name a split, and no class.
_SPLIT_FOLDERS = ("train", "training", _TEST_FOLDER)


def find_picture_labels(files: InputFiles, table: Path | None) -> dict[str, str]:
    """Finds the class of each file.

    Args:
      files: the files.
      table: CSV of `path,label`, or None for the classes in the names.

    Returns:
      The class by `InputFile.name`, empty for a file without one.

    Raises:
      PathError: the CSV cannot be read, or names no file.
    """
    if table is None:
        return {file.name: class_in_name(file.name) for file in files}
    find_label = find_labels_in_table(files, table, class_names=None)
    return {file.name: find_label(file.name) for file in files}


def class_in_name(name: str) -> str:
    """Returns the name of the parent folder, or without one the end of the file's name.

    Example:
      >>> class_in_name("7/scan_1.png"), class_in_name("test/seven/a.png")
      ('7', 'seven')
      >>> class_in_name("scan_7.png"), class_in_name("test/scan_7.png")
      ('7', '7')
      >>> class_in_name("%2F/a.png"), class_in_name("readme.txt")
      ('/', '')
    """
    *folders, file = name.split("/")
    if folders and folders[0] in _SPLIT_FOLDERS:
        del folders[0]
    if folders:
        return from_file_name(folders[-1])
    return os.path.splitext(file)[0].rpartition("_")[2] if "_" in file else ""


def is_in_test_folder(name: str) -> bool:
    """Tells whether a file is in the folder `test` at the top.

    Example:
      >>> is_in_test_folder("test/7/a.png"), is_in_test_folder("7/test.png")
      (True, False)
    """
    return name.startswith(_TEST_FOLDER + "/")

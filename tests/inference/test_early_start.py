"""Processes that are started before a run needs them."""

from pathlib import Path

import pytest

from cnn.inference import early_start


@pytest.mark.parametrize(
    ("num_files", "workers", "expected"),
    [(0, None, 0), (3, None, 1), (3, 8, 3), (600, None, 4), (600, 0, 0), (600, 5, 5)],
)
def test_there_are_as_many_as_the_files_need(
    monkeypatch, tmp_path, num_files, workers, expected
):
    """Half of the files are in a folder of the folder."""
    monkeypatch.setattr(early_start, "cpu_count", lambda: 4)
    (tmp_path / "sub").mkdir()
    for i in range(num_files):
        (tmp_path / ("sub" if i % 2 else "") / f"{i}.png").touch()
    assert early_start._count_decoders([tmp_path], workers) == expected


def test_a_file_counts_and_a_link_to_a_folder_is_not_followed(tmp_path):
    path = tmp_path / "a.png"
    path.touch()
    (tmp_path / "link").symlink_to(tmp_path)
    assert early_start._count_files([str(path), str(tmp_path)], 9) == 3
    assert early_start._count_files(["s3://bucket/scans"], 9) == 1


def test_counting_ends_at_the_limit(tmp_path):
    for i in range(9):
        Path(tmp_path, str(i)).touch()
    assert early_start._count_files([str(tmp_path)] * 2, 5) == 5

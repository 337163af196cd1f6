"""The child's side: results of a chunk, files that are not decoded again."""

import pickle

import numpy as np
import pytest

from cnn.image_files import decode_worker
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import ReadOptions, Source

OPTIONS = ReadOptions("mnist")


@pytest.mark.parametrize("file_by_file", [False, True])
def test_a_chunk_has_the_results_of_its_files(digit_paths, tmp_path, file_by_file):
    (tmp_path / "empty.png").touch()
    paths = [*digit_paths[:3], str(tmp_path / "empty.png"), digit_paths[3]]
    begun = []
    request = decode_worker.ChunkRequest(
        [*map(Source, paths)], OPTIONS, {}, file_by_file
    )
    files = decode_worker.decode_chunk(request, begun.append)
    result = pickle.loads(pickle.dumps(decode_worker.pack_result(files, 1.5)))
    expected = pipeline.preprocess_files(paths, "mnist")
    images = np.concatenate([f.candidates for f in expected if f.status == "ok"])
    np.testing.assert_array_equal(result.images, images)
    assert result.statuses == ["ok", "ok", "ok", "unreadable", "ok"]
    assert result.num_images[3] == 0
    assert result.seconds == 1.5
    assert begun == [0, 1, 2, 3, 4, 5]
    for found, file in zip(decode_worker.unpack_result(result), expected, strict=True):
        assert found[1:3] == file[1:3]
        np.testing.assert_array_equal(found.candidates, file.candidates)
        np.testing.assert_array_equal(found.weights, file.weights)


def test_a_chunk_without_images_has_a_result(tmp_path):
    request = decode_worker.ChunkRequest(
        [Source(str(tmp_path / "no"))], OPTIONS, {}, False
    )
    result = decode_worker.pack_result(decode_worker.decode_chunk(request), 0.1)
    assert result.images.shape == (0, 28, 28, 1)
    (file,) = decode_worker.unpack_result(result)
    assert (file.candidates, file.status) == (None, "unreadable")


def test_a_file_that_has_failed_is_not_decoded_again(digit_paths):
    failures = {1: "took longer than 5 s"}
    request = decode_worker.ChunkRequest(
        [*map(Source, digit_paths[:3])], OPTIONS, failures, True
    )
    files = decode_worker.decode_chunk(request)
    assert [file.status for file in files] == ["ok", "unreadable", "ok"]
    assert files[1].status == "unreadable"
    assert files[1].detail == "took longer than 5 s"

"""The child's side: images in shared memory, files that are not decoded again."""

import multiprocessing
import time

import numpy as np
import pytest

from cnn.inference import decode_worker
from cnn.preprocessing import pipeline


def process_chunk(request, slots, report_file=lambda _: None):
    files = decode_worker.decode_chunk(request, report_file)
    return decode_worker.pack_result(request, files, slots, time.monotonic())


def test_slots_are_shared_memory_of_their_own():
    context = multiprocessing.get_context("forkserver")
    buffer = decode_worker.allocate_slots(context, images_per_slot=3)
    slots = decode_worker.view_slots(buffer)
    assert slots.shape == (decode_worker.NUM_SLOTS, 3, 28, 28, 1)
    slots[1] = 1
    assert decode_worker.view_slots(buffer).sum() == 3 * 28 * 28


@pytest.mark.parametrize("file_by_file", [False, True])
@pytest.mark.parametrize("images_per_slot", [2, 300])
def test_a_chunk_has_the_results_of_its_files(
    digit_paths, tmp_path, file_by_file, images_per_slot
):
    (tmp_path / "empty.png").touch()
    paths = [*digit_paths[:3], str(tmp_path / "empty.png"), digit_paths[3]]
    begun = []
    slots = np.zeros((4, images_per_slot, *pipeline.IMAGE_SHAPE), np.float32)
    request = decode_worker.ChunkRequest(2, paths, "mnist", {}, file_by_file)
    result = process_chunk(request, slots, begun.append)
    expected = pipeline.preprocess_files(paths, "mnist")
    images = np.concatenate([f.candidates for f in expected if f.status == "ok"])
    assert result.slot == 2
    assert (result.images is None) == (images_per_slot == 300)
    found = slots[2, : len(images)] if result.images is None else result.images
    np.testing.assert_array_equal(found, images)
    assert result.statuses == [file.status for file in expected]
    assert result.details == [file.detail for file in expected]
    assert result.num_images[3] == 0
    assert sum(result.num_images) == len(images)
    assert begun == [0, 1, 2, 3, 4, 5]


def test_a_file_that_has_failed_is_not_decoded_again(digit_paths):
    slots = np.zeros((4, 300, *pipeline.IMAGE_SHAPE), np.float32)
    failures = {1: "took longer than 5 s"}
    request = decode_worker.ChunkRequest(0, digit_paths[:3], "mnist", failures, True)
    result = process_chunk(request, slots)
    assert result.statuses == ["ok", "unreadable", "ok"]
    assert result.details[1] == "took longer than 5 s"
    assert result.num_images[1] == 0

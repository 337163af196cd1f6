import asyncio
from pathlib import Path

import numpy as np
from PIL import Image

from cnn.preprocessing import pipeline
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import ReadOptions, Source
from cnn.serving.decode_queue import DecodeQueue

OPTIONS = ReadOptions("mnist")


def test_simultaneous_requests_have_the_results_that_each_has_alone(
    tmp_path: Path,
) -> None:
    sources = [_draw_bar(tmp_path, height) for height in range(5, 25)]

    async def decode_all() -> list[list[PreprocessedFile]]:
        queue = DecodeQueue(workers=2, timeout=20)
        try:
            # Requests of one and of two files by turns.
            requests = [sources[i : i + 1 + i % 2] for i in range(len(sources) - 1)]
            calls = [queue.decode(request, OPTIONS) for request in requests]
            return await asyncio.gather(*calls)
        finally:
            queue.close()

    results = asyncio.run(decode_all())
    alone = [pipeline.preprocess_file(source.path, "mnist") for source in sources]
    for i, files in enumerate(results):
        expected = alone[i : i + 1 + i % 2]
        assert [file.status for file in files] == [file.status for file in expected]
        for file, other in zip(files, expected, strict=True):
            np.testing.assert_array_equal(file.candidates, other.candidates)


def _draw_bar(folder: Path, height: int) -> Source:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[2 : 2 + height, 12:16] = 255
    path = folder / f"{height}.png"
    Image.fromarray(pixels).save(path)
    return Source(str(path))

import numpy as np

from cnn.preprocessing.lines.candidate_lines import (
    candidate_slopes,
    compute_line_grid,
    compute_row_bands,
    segment_edges,
)


def test_segments_cover_all_columns_of_a_narrow_image():
    assert segment_edges(5).tolist() == [0, 1, 2, 3, 4, 5]


def test_grid_follows_each_line_through_the_segments():
    height = 20
    grid = compute_line_grid(height, 64)
    slopes = candidate_slopes()
    edges = segment_edges(64)
    middles = (edges[:-1] + edges[1:] - 64) / 2
    for i, slope in enumerate(slopes):
        for segment, middle in enumerate(middles):
            for row in range(height):
                expected = row + round(slope * middle)
                inside = 0 <= expected < height
                assert grid.inside[i, segment, row] == inside
                if inside:
                    index = segment * height + expected
                    assert grid.indices[i, segment, row] == index


def test_ends_are_the_outermost_segments_in_the_image():
    grid = compute_line_grid(20, 64)
    slopes, num_segments, height = grid.inside.shape
    line = np.flatnonzero(grid.inside[0, :, 0])
    segments = [line[0], line[0] + 1, line[-1], line[-1] - 1]
    clipped = np.clip(segments, 0, num_segments - 1)
    assert (grid.ends[0, :, 0] == clipped * height).all()
    level = slopes // 2  # The slope 0.
    last = num_segments - 1
    segments = level * num_segments + np.array([0, 1, last, last - 1])
    assert (grid.ends[level, :, 7] == segments * height + 7).all()


def test_bands_contain_the_rows_of_all_lines():
    height = 20
    grid = compute_line_grid(height, 64)
    bands = compute_row_bands(height, 64)
    starts = (height + 1) * np.arange(len(bands.first))[:, None]
    rows = grid.indices - height * np.arange(len(bands.first))[:, None]
    assert (rows >= bands.first - starts).all()
    assert (rows < bands.end - starts).all()

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
    edges = segment_edges(64)
    middles = (edges[:-1] + edges[1:] - 64) / 2
    values = 1 + np.arange(len(middles) * height).reshape(-1, height)
    sampled = grid.sample(values)
    for i, slope in enumerate(candidate_slopes()):
        for segment, middle in enumerate(middles):
            for row in range(height):
                expected = row + round(slope * middle)
                inside = 0 <= expected < height
                value = values[segment, expected] if inside else 0
                assert sampled[i, segment, row] == value


def test_ends_are_the_outermost_segments_in_the_image():
    grid = compute_line_grid(20, 64)
    slopes, num_segments = grid.rises.shape
    inside = np.flatnonzero(grid.rises[0] >= 0)
    expected = [inside[0], inside[0] + 1, inside[-1], inside[-1] - 1]
    assert grid.ends(np.array([0]), np.array([0])).tolist() == [expected]
    level = slopes // 2  # The slope 0.
    last = num_segments - 1
    [ends] = grid.ends(np.array([level]), np.array([7])).tolist()
    assert ends == [0, 1, last, last - 1]


def test_bands_contain_the_rows_of_all_lines():
    height = 20
    grid = compute_line_grid(height, 64)
    bands = compute_row_bands(height, 64)
    starts = (height + 1) * np.arange(len(bands.first))[:, None]
    rows = np.arange(height) + grid.rises[:, :, None]
    inside = (rows >= 0) & (rows < height)
    assert (rows >= bands.first - starts)[inside].all()
    assert (rows < bands.end - starts)[inside].all()

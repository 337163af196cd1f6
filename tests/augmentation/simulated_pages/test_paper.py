import numpy as np

from cnn.augmentation.simulated_pages import paper

GENERATOR = np.random.default_rng


def test_squared_paper_has_rules_both_ways_and_ruled_paper_one_way():
    shape = (300, 240)
    dark = {}
    for kind in ("plain", "ruled", "squared"):
        page = paper.render_paper(GENERATOR(3), shape, kind, 60)
        assert (page.shape, page.dtype) == ((*shape, 3), np.float32)
        red = page[..., 0] / np.median(page[..., 0])
        rows, columns = (np.median(red, axis=axis).min() for axis in (1, 0))
        dark[kind] = (rows < 0.95, columns < 0.95)
    assert dark == {
        "plain": (False, False),
        "ruled": (True, False),
        "squared": (True, True),
    }


def test_noise_is_smooth_with_the_given_number_of_spots():
    noise = paper.value_noise(GENERATOR(0), (200, 300), 30)
    assert (noise.shape, noise.dtype) == ((200, 300), np.float32)
    assert abs(noise.mean()) < 0.15
    assert 0.6 < noise.std() < 1.1
    assert np.abs(np.diff(noise, axis=1)).mean() < 0.2 * noise.std()

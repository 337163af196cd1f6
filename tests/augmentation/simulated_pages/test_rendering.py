import numpy as np

from cnn.augmentation.simulated_pages import rendering

GENERATOR = np.random.default_rng


def test_squared_paper_has_rules_both_ways_and_ruled_paper_one_way():
    shape = (300, 240)
    dark = {}
    for kind in ("plain", "ruled", "squared"):
        page = rendering.render_paper(GENERATOR(3), shape, kind, 60)
        assert (page.shape, page.dtype) == ((*shape, 3), np.float32)
        red = page[..., 0] / np.median(page[..., 0])
        rows, columns = (np.median(red, axis=axis).min() for axis in (1, 0))
        dark[kind] = (rows < 0.95, columns < 0.95)
    assert dark == {
        "plain": (False, False),
        "ruled": (True, False),
        "squared": (True, True),
    }


def test_even_light_is_an_exposure_only():
    page = np.full((20, 30, 3), 0.5, np.float32)
    lit = rendering.apply_lighting(GENERATOR(0), page, 0.0)
    assert np.ptp(lit) < 1e-6
    assert 0.5 * 0.65 <= lit.mean() <= 0.5 * 1.05


def test_uneven_light_varies_across_the_page():
    page = np.full((200, 300, 3), 0.5, np.float32)
    spread = [
        np.ptp(rendering.apply_lighting(GENERATOR(seed), page, 1.0).mean(-1))
        for seed in range(10)
    ]
    assert np.median(spread) > 0.05


def test_the_longer_side_of_a_photograph_is_as_given():
    page = np.full((200, 300, 3), 0.5, np.float32)
    image = rendering.simulate_camera(GENERATOR(0), page, 90, 0.01, 0.5)
    assert (image.shape, image.dtype) == ((60, 90, 3), np.uint8)
    assert abs(image.mean() - 127.5) < 2


def test_sensor_noise_has_the_given_standard_deviation():
    page = np.full((200, 200, 3), 0.5, np.float32)
    clean, noisy = (
        rendering.simulate_camera(GENERATOR(0), page, 200, noise, 0).std()
        for noise in (0, 0.05)
    )
    assert clean < 0.5
    assert 5 < noisy < 14  # 0.05 of 255 is 12.75, which JPEG smooths.


def test_perspective_mirrors_the_page_at_its_borders():
    page = np.full((50, 60, 3), 0.8, np.float32)
    result = rendering.random_perspective(GENERATOR(0), page, 12)
    np.testing.assert_allclose(result, page, atol=1e-6)


def test_noise_is_smooth_with_the_given_number_of_spots():
    noise = rendering.value_noise(GENERATOR(0), (200, 300), 30)
    assert (noise.shape, noise.dtype) == ((200, 300), np.float32)
    assert abs(noise.mean()) < 0.15
    assert 0.6 < noise.std() < 1.1
    assert np.abs(np.diff(noise, axis=1)).mean() < 0.2 * noise.std()

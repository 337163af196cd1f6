import numpy as np

from cnn.augmentation.simulated_pages import camera

GENERATOR = np.random.default_rng


def test_even_light_is_an_exposure_only():
    page = np.full((20, 30, 3), 0.5, np.float32)
    lit = camera.apply_lighting(GENERATOR(0), page, 0.0)
    assert np.ptp(lit) < 1e-6
    assert 0.5 * 0.65 <= lit.mean() <= 0.5 * 1.05


def test_uneven_light_varies_across_the_page():
    page = np.full((200, 300, 3), 0.5, np.float32)
    spread = [
        np.ptp(camera.apply_lighting(GENERATOR(seed), page, 1.0).mean(-1))
        for seed in range(10)
    ]
    assert np.median(spread) > 0.05


def test_the_longer_side_of_a_photograph_is_as_given():
    page = np.full((200, 300, 3), 0.5, np.float32)
    image = camera.simulate_camera(GENERATOR(0), page, 90, 0.01, 0.5)
    assert (image.shape, image.dtype) == ((60, 90, 3), np.uint8)
    assert abs(image.mean() - 127.5) < 2


def test_sensor_noise_has_the_given_standard_deviation():
    page = np.full((200, 200, 3), 0.5, np.float32)
    clean, noisy = (
        camera.simulate_camera(GENERATOR(0), page, 200, noise, 0).std()
        for noise in (0, 0.05)
    )
    assert clean < 0.5
    assert 5 < noisy < 14  # 0.05 of 255 is 12.75, which JPEG smooths.


def test_perspective_mirrors_the_page_at_its_borders():
    page = np.full((50, 60, 3), 0.8, np.float32)
    result = camera.random_perspective(GENERATOR(0), page, 12)
    np.testing.assert_allclose(result, page, atol=1e-6)

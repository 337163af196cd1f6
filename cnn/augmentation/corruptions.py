"""Random distortion of training pictures, on the device, from a key.

Pictures are grey, `float32 (batch, height, width)` in [0, 1], ink 1 on background 0, and as high as they are
wide. `draw` and `warp` move the ink of every one a little. `corrupt` does to some of them what paper, light,
pens, cameras and scanners do; each of its `DISTORTIONS` is a function of a key and pictures, and leaves ink
on the whole brighter than paper, so that the polarity stays: only within a `band` may it turn.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from cnn.augmentation.affine import (
    AffineRanges,
    apply_separable,
    centered_coordinates,
    interpolation_matrix,
    resample_at,
    sample_affine,
    upsample_bilinear,
    warp,
)


def random_corruptions(
    keys: jax.Array, images: jax.Array, shares: jax.Array, each: Callable = jax.vmap
) -> jax.Array:
    """Distorts pictures in ways drawn for each: two times, each time a share of them.

    Args:
      keys: `(batch,)` random keys.
      images: `float32 (batch, height, width)`.
      shares: `float32 (batch,)` in [0, 1], how likely each of the two is; `(1 - share)**2` stay clean.
      each: makes a function of one key and one picture one of many.

    Returns:
      `float32 (batch, height, width)` in [0, 1].
    """
    ways = [_identity, *CORRUPTIONS.values()]

    def drawn(key: jax.Array, share: jax.Array) -> tuple[jax.Array, jax.Array]:
        which, key = jax.random.split(key)
        lot = jax.random.uniform(which) / jnp.maximum(
            share, 1e-9
        )  # Below 1, it is distorted.
        return jnp.where(lot < 1, 1 + jnp.floor(lot * len(CORRUPTIONS)), 0).astype(
            jnp.int32
        ), key

    def one(which: jax.Array, keys: jax.Array, image: jax.Array) -> jax.Array:
        def once(turn: int, image: jax.Array) -> jax.Array:
            return lax.switch(which[turn], ways, keys[turn], image[None])[0]

        return lax.fori_loop(0, 2, once, image)

    # What is to be done is drawn for all at once: for one picture after the other it would take longer.
    turns = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))(
        keys, jnp.arange(2)
    )
    which, keys = jax.vmap(jax.vmap(drawn, (0, None)))(turns, shares)
    return each(one)(which, keys, images)


def _identity(_: jax.Array, images: jax.Array) -> jax.Array:
    return images


def random_affine(key: jax.Array, images: jax.Array) -> jax.Array:
    """Turns, scales, slants and moves pictures, much further than all are moved."""
    return warp(
        images,
        sample_affine(
            key, len(images), AffineRanges(rotation=35, scale=0.3, shear=0.4, shift=4)
        ),
    )


def scale(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes pictures smaller or larger as a whole, by 0.5 to 1.3."""
    (size,) = _sample(key, images, (0.5, 1.3))
    weights = interpolation_matrix(
        centered_coordinates(images.shape[-1]) / size, images.shape[-1]
    )
    return apply_separable(weights, images, weights)


def elastic_transform(key: jax.Array, images: jax.Array) -> jax.Array:
    """Moves parts of a picture by 1 or 2 pixels, each another way (Simard et al., "Best practices", 2003)."""
    right, down = (
        1.2 * _value_noise(k, images, 7) for k in (key, jax.random.fold_in(key, 1))
    )
    across = centered_coordinates(images.shape[-1])
    return resample_at(images, across + right, across[:, None] + down)


def gaussian_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs by a Gaussian of 0.4 to 1.5 pixels."""
    (sigma,) = _sample(key, images, (0.4, 1.5))
    return _blur(images, sigma)


def motion_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs along a line of any direction, by a Gaussian of 1 to 4 pixels, as a camera that moves."""
    sigma, angle = _sample(key, images, (1, 4), (0, math.pi))
    steps, across = jnp.linspace(-2, 2, 9), centered_coordinates(images.shape[-1])
    right, down = (
        interpolation_matrix(
            across + steps[:, None, None, None] * sigma * part, images.shape[-1]
        )
        for part in (jnp.cos(angle), jnp.sin(angle))
    )
    return jnp.tensordot(
        jax.nn.softmax(-(steps**2) / 2), apply_separable(down, images, right), 1
    )


def glass_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Takes each pixel from one nearby, and blurs a little, as seen through frosted glass."""
    sigma, reach = _sample(key, images, (0.3, 1), (0.7, 1.6))
    lot = jax.random.uniform(
        jax.random.fold_in(key, 1), (2, *images.shape), minval=-1, maxval=1
    )
    right, down = jnp.round(lot * reach)
    across = centered_coordinates(images.shape[-1])
    moved = resample_at(_blur(images, sigma), across + right, across[:, None] + down)
    return _blur(moved, sigma / 2)


def pixelate(key: jax.Array, images: jax.Array) -> jax.Array:
    """Shows pictures in pixels 1.5 to 4 times as large."""
    factor, phase = _sample(key, images, (1.5, 4), (0, 1))
    positions = (
        jnp.round(centered_coordinates(images.shape[-1]) / factor + phase) - phase
    ) * factor
    weights = interpolation_matrix(positions, images.shape[-1])
    return apply_separable(weights, _blur(images, factor / 3), weights)


def dilate(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws strokes with a thicker pen."""
    (much,) = _sample(key, images, (0.3, 1))
    return images + much * (_dilate(images) - images)


def erode(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws strokes with a thinner pen."""
    (much,) = _sample(key, images, (0.3, 0.9))
    return images - much * (images - _erode(images))


def edges(key: jax.Array, images: jax.Array) -> jax.Array:
    """Leaves nothing but edges, outside the ink or inside it, a pixel wide."""
    level, side, ink = _sample(key, images, (0.2, 0.6), (-1, 1), (0.6, 1))
    shape = (images > level).astype(images.dtype)
    return ink * jnp.where(side > 0, _dilate(shape) - shape, shape - _erode(shape))


def threshold(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes pictures black and white, or nearly."""
    level, slope = _sample(key, images, (0.2, 0.7), (2, 20))
    return jnp.clip((images - level) * slope + 0.5, 0, 1)


def contrast(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lowers the contrast: a brighter background, darker ink."""
    background, ink, gamma = _sample(key, images, (0, 0.6), (0.3, 1), (0.5, 2))
    return background + (1 - background) * ink * images**gamma


def brightness(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds light until the brightest is cut off."""
    (light,) = _sample(key, images, (0.1, 0.65))
    return jnp.minimum(images + light, 1)


def linear_illumination(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lays light on the picture that rises from one side to the other."""
    angle, light, ink = _sample(key, images, (0, 2 * math.pi), (0.2, 0.9), (0.5, 1))
    across = centered_coordinates(images.shape[-1]) / images.shape[-1]
    slope = jnp.cos(angle) * across + jnp.sin(angle) * across[:, None]
    background = light * jnp.clip(slope + 0.5, 0, 1)
    return background + (1 - background) * ink * images


def fog(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lays fog on the picture, up to two and a half times as bright as the ink."""
    strength, roughness = _sample(key, images, (0.3, 2.5), (0.4, 0.7))
    clouds = sum(
        roughness**octave * _value_noise(jax.random.fold_in(key, octave), images, size)
        for octave, size in enumerate((2, 3, 5, 9, 17))
    )
    low, high = clouds.min((1, 2), keepdims=True), clouds.max((1, 2), keepdims=True)
    return (images + strength * (clouds - low) / (high - low)) / (1 + strength)


def stripe(key: jax.Array, images: jax.Array) -> jax.Array:
    """Changes brightness in bands, along or across: a fold, tape, a shadow; at its strongest, a negative."""
    period, phase, width, level = _sample(
        key, images, (6, 40), (0, 1), (0.15, 0.6), (0.4, 1.6)
    )
    across = jnp.arange(images.shape[-1], dtype=images.dtype)
    inside = (across / period + phase) % 1 < width
    turned = _random_transpose(key, images)
    return _random_transpose(
        key, jnp.where(inside, jnp.abs(jnp.minimum(level, 1) - turned), turned)
    )


def dotted_line(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws a line from edge to edge, straight or zigzag, whole or dotted."""
    start, end, height, period, duty, dot, width, ink = _sample(
        key,
        images,
        (0, 27),
        (0, 27),
        (-6, 6),
        (4, 14),
        (0.3, 1.6),
        (2, 6),
        (0.5, 1.6),
        (0.4, 1.6),
    )
    x = jnp.arange(images.shape[-1], dtype=images.dtype)
    height = jnp.maximum(height, 0)  # Half of them are straight.
    tooth = jnp.abs((x / period) % 1 * 2 - 1) * 2 - 1
    y = start + (end - start) * x / images.shape[-1] + height * tooth
    slope = jnp.abs(end - start) / images.shape[-1] + 4 * height / period
    away = jnp.abs(x[:, None] - y) / jnp.sqrt(1 + slope**2)
    stroke = jnp.clip(width - away, 0, 1) * ((x / dot) % 1 < duty) * jnp.minimum(ink, 1)
    return jnp.maximum(images, _random_transpose(key, stroke))


def spatter(key: jax.Array, images: jax.Array) -> jax.Array:
    """Splashes ink on the picture, or water that washes ink away."""
    level, ink, water = _sample(key, images, (0.2, 1.3), (0.3, 1.3), (-2, 1))
    wet = jnp.clip(
        4 * (_value_noise(jax.random.fold_in(key, 1), images, 10) - level), 0, 1
    )
    return jnp.where(
        water > 0, images * (1 - wet), jnp.maximum(images, jnp.minimum(ink, 1) * wet)
    )


def random_erasing(key: jax.Array, images: jax.Array) -> jax.Array:
    """Covers a rectangle of 3 to 10 pixels a side, of any grey."""
    x, y, width, height, grey = _sample(
        key, images, (-12, 12), (-12, 12), (1.5, 5), (1.5, 5), (-0.5, 1)
    )
    across = centered_coordinates(images.shape[-1])
    covered = (jnp.abs(across - x) < width) & (jnp.abs(across[:, None] - y) < height)
    return jnp.where(covered, jnp.maximum(grey, 0), images)


def gaussian_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds Gaussian noise of a standard deviation from 0.05 to 0.4."""
    (sigma,) = _sample(key, images, (0.05, 0.4))
    return jnp.clip(
        images + sigma * jax.random.normal(jax.random.fold_in(key, 1), images.shape),
        0,
        1,
    )


def shot_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Counts 2 to 20 photons where the ink is 1: noise that grows with brightness, nearly Poisson's."""
    (count,) = _sample(key, images, (2, 20))
    noise = jax.random.normal(jax.random.fold_in(key, 1), images.shape)
    return jnp.clip(images + jnp.sqrt(images / count) * noise, 0, 1)


def impulse_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes 2 to 35 % of the pixels white or black."""
    share, white = _sample(key, images, (0.02, 0.35), (0.2, 0.8))
    lot = jax.random.uniform(jax.random.fold_in(key, 1), images.shape)
    return jnp.where(lot < share * white, 1, jnp.where(lot < share, 0, images))


CORRUPTIONS: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    function.__name__: function
    for function in (
        *(
            random_affine,
            scale,
            elastic_transform,
            gaussian_blur,
            motion_blur,
            glass_blur,
            pixelate,
            dilate,
            erode,
            edges,
            threshold,
            contrast,
        ),
        *(
            brightness,
            linear_illumination,
            fog,
            stripe,
            dotted_line,
            spatter,
            random_erasing,
            gaussian_noise,
            shot_noise,
            impulse_noise,
        ),
    )
}


def _sample(
    key: jax.Array, images: jax.Array, *ranges: tuple[float, float]
) -> jax.Array:
    """Draws a number of each range for each picture: `(ranges, batch, 1, 1)`, to be unpacked."""
    low, high = jnp.array(ranges, images.dtype).T[:, :, None, None, None]
    return jax.random.uniform(
        key, (len(ranges), len(images), 1, 1), minval=low, maxval=high
    )


def _value_noise(key: jax.Array, images: jax.Array, size: int) -> jax.Array:
    """Draws Gaussian noise on `size`×`size` points, and interpolates it to the size of the pictures."""
    return upsample_bilinear(
        jax.random.normal(key, (len(images), size, size)), images.shape[-1]
    )


def _blur(images: jax.Array, sigma: jax.Array) -> jax.Array:
    across = centered_coordinates(images.shape[-1])
    weights = jax.nn.softmax(-(((across[:, None] - across) / sigma) ** 2) / 2, axis=-1)
    return apply_separable(weights, images, weights)


def _dilate(images: jax.Array) -> jax.Array:
    """Takes the brightest of a pixel and its four neighbours."""
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    sides = (
        padded[:, 2:, 1:-1],
        padded[:, :-2, 1:-1],
        padded[:, 1:-1, 2:],
        padded[:, 1:-1, :-2],
    )
    return jnp.stack([images, *sides]).max(0)


def _erode(images: jax.Array) -> jax.Array:
    """Takes the darkest of a pixel and its four neighbours."""
    return -_dilate(-images)


def _random_transpose(key: jax.Array, images: jax.Array) -> jax.Array:
    """Exchanges rows and columns of half of the pictures; twice with one key changes nothing."""
    coin = jax.random.bernoulli(jax.random.fold_in(key, 1), shape=(len(images), 1, 1))
    return jnp.where(coin, images.swapaxes(1, 2), images)

"""Random distortion of training pictures, on the device, from a key.

Pictures are grey, `float32 (batch, height, width)` in [0, 1], ink 1 on background 0, and as high as they are
wide. `draw` and `warp` move the ink of every one a little. `corrupt` does to some of them what paper, light,
pens, cameras and scanners do; each of its `DISTORTIONS` is a function of a key and pictures, and leaves ink
on the whole brighter than paper, so that the polarity stays: only within a `band` may it turn.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class Affine(NamedTuple):
    """How far pictures may be distorted, each way.

    Attributes:
      rotation: degrees.
      scale: fraction of the size, width and height apart.
      shear: pixels sideways per pixel of height.
      shift: pixels.
    """

    rotation: float
    scale: float
    shear: float
    shift: float


def draw(key: jax.Array, count: int, affine: Affine) -> jax.Array:
    """Draws one affine map a picture, from an output pixel to where its input lies.

    Args:
      key: a JAX random key.
      count: how many maps.
      affine: their ranges; each number is drawn uniformly.

    Returns:
      `float32 (count, 2, 3)`: rows for x and y, relative to the centre, in pixels.
    """
    reach = jnp.array([math.radians(affine.rotation), *2 * [affine.scale], affine.shear, *2 * [affine.shift]])
    # All from one call, since each would compile the generator again.
    drawn = jax.random.uniform(key, (count, 6), minval=-1, maxval=1) * reach
    turn, shear, shift = drawn[:, 0], drawn[:, 3], drawn[:, 4:]
    stretch = 1 / (1 + drawn[:, 1:3])
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    x = jnp.stack([cos * stretch[:, 0], (shear * cos - sin) * stretch[:, 1], shift[:, 0]], axis=-1)
    y = jnp.stack([sin * stretch[:, 0], (shear * sin + cos) * stretch[:, 1], shift[:, 1]], axis=-1)
    return jnp.stack([x, y], axis=1)


def draw_bends(key: jax.Array, count: int, pixels: float) -> jax.Array:
    """Draws how far parts of each picture are moved, besides its map.

    Args:
      key: a JAX random key.
      count: how many pictures.
      pixels: the standard deviation.

    Returns:
      `float32 (count, 2, 6, 6)`: to the right and down, in pixels, at points that lie evenly.
    """
    return pixels * jax.random.normal(key, (count, 2, 6, 6))


def warp(images: jax.Array, maps: jax.Array, bends: jax.Array | None = None) -> jax.Array:
    """Applies affine maps, and bends, in two passes of linear interpolation: along x, then along y.

    Rows and columns are resampled apart (Catmull & Smith, "3-D transformations of images in
    scanline order", 1980), since a product with interpolation weights is quicker than gathering.

    Args:
      images: `float32 (batch, height, width)`; beyond the edge is 0.
      maps: `float32 (batch, 2, 3)` as `draw` makes them.
      bends: `float32 (batch, 2, 6, 6)` as `draw_bends` makes them (Simard et al., "Best practices for
        convolutional neural networks", 2003, bend so, with smoother fields).

    Returns:
      `float32 (batch, height, width)`.
    """
    # Output (u, v) shows input (a u + b v + c, d u + e v + f). The first pass makes, of each row y,
    # the values along u; there v = (y - d u - f) / e, so x = (a - b d / e) u + (b / e)(y - f) + c.
    (a, b, c), (d, e, f) = (row.T[:, :, None, None] for row in (maps[:, 0], maps[:, 1]))
    v, u = _centred(images.shape[1])[:, None], _centred(images.shape[2])[None, :]
    x, y = (a - b * d / e) * u + b / e * (v - f) + c, d * u + e * v + f
    if bends is not None:
        x, y = x + _enlarged(bends[:, 0], images.shape[1]), y + _enlarged(bends[:, 1], images.shape[1])
    return _taken(images, x, y)


def _centred(size: int) -> jax.Array:
    return jnp.arange(size, dtype=jnp.float32) - (size - 1) / 2


def _taken(images: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Takes each pixel from column `x` of its row, then from row `y` of its column, both centred."""
    return _resample(_resample(images, x).swapaxes(1, 2), y.swapaxes(1, 2)).swapaxes(1, 2)


def _resample(lines: jax.Array, positions: jax.Array) -> jax.Array:
    """Interpolates `(batch, lines, size)` linearly along its last axis, at centred positions."""
    positions = jnp.broadcast_to(positions, lines.shape)
    distance = jnp.abs(positions[..., None] - _centred(lines.shape[-1]))
    return jnp.einsum("blps,bls->blp", jnp.maximum(0, 1 - distance), lines)


def corrupt(keys: jax.Array, images: jax.Array, shares: jax.Array, each: Callable = jax.vmap) -> jax.Array:
    """Distorts pictures in ways drawn for each: two times, each time a share of them.

    Args:
      keys: `(batch,)` random keys.
      images: `float32 (batch, height, width)`.
      shares: `float32 (batch,)` in [0, 1], how likely each of the two is; `(1 - share)**2` stay clean.
      each: makes a function of one key and one picture one of many.

    Returns:
      `float32 (batch, height, width)` in [0, 1].
    """
    ways = [_as_it_is, *DISTORTIONS.values()]

    def drawn(key: jax.Array, share: jax.Array) -> tuple[jax.Array, jax.Array]:
        which, key = jax.random.split(key)
        lot = jax.random.uniform(which) / jnp.maximum(share, 1e-9)  # Below 1, it is distorted.
        return jnp.where(lot < 1, 1 + jnp.floor(lot * len(DISTORTIONS)), 0).astype(jnp.int32), key

    def one(which: jax.Array, keys: jax.Array, image: jax.Array) -> jax.Array:
        def once(turn: int, image: jax.Array) -> jax.Array:
            return lax.switch(which[turn], ways, keys[turn], image[None])[0]

        return lax.fori_loop(0, 2, once, image)

    # What is to be done is drawn for all at once: for one picture after the other it would take longer.
    turns = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))(keys, jnp.arange(2))
    which, keys = jax.vmap(jax.vmap(drawn, (0, None)))(turns, shares)
    return each(one)(which, keys, images)


def _as_it_is(_: jax.Array, images: jax.Array) -> jax.Array:
    return images


def stretch(key: jax.Array, images: jax.Array) -> jax.Array:
    """Turns, scales, slants and moves pictures, much further than all are moved."""
    return warp(images, draw(key, len(images), Affine(rotation=35, scale=0.3, shear=0.4, shift=4)))


def zoom(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes pictures smaller or larger as a whole, by 0.5 to 1.3."""
    (size,) = _drawn(key, images, (0.5, 1.3))
    weights = _between(_centred(images.shape[-1]) / size, images.shape[-1])
    return _weighed(weights, images, weights)


def wave(key: jax.Array, images: jax.Array) -> jax.Array:
    """Moves parts of a picture by 1 or 2 pixels, each another way (Simard et al., "Best practices", 2003)."""
    right, down = (1.2 * _smooth_noise(k, images, 7) for k in (key, jax.random.fold_in(key, 1)))
    across = _centred(images.shape[-1])
    return _taken(images, across + right, across[:, None] + down)


def defocus(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs by a Gaussian of 0.4 to 1.5 pixels."""
    (sigma,) = _drawn(key, images, (0.4, 1.5))
    return _blurred(images, sigma)


def shake(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs along a line of any direction, by a Gaussian of 1 to 4 pixels, as a camera that moves."""
    sigma, angle = _drawn(key, images, (1, 4), (0, math.pi))
    steps, across = jnp.linspace(-2, 2, 9), _centred(images.shape[-1])
    right, down = (
        _between(across + steps[:, None, None, None] * sigma * part, images.shape[-1])
        for part in (jnp.cos(angle), jnp.sin(angle))
    )
    return jnp.tensordot(jax.nn.softmax(-(steps**2) / 2), _weighed(down, images, right), 1)


def frost(key: jax.Array, images: jax.Array) -> jax.Array:
    """Takes each pixel from one nearby, and blurs a little, as seen through frosted glass."""
    sigma, reach = _drawn(key, images, (0.3, 1), (0.7, 1.6))
    lot = jax.random.uniform(jax.random.fold_in(key, 1), (2, *images.shape), minval=-1, maxval=1)
    right, down = jnp.round(lot * reach)
    across = _centred(images.shape[-1])
    moved = _taken(_blurred(images, sigma), across + right, across[:, None] + down)
    return _blurred(moved, sigma / 2)


def coarsen(key: jax.Array, images: jax.Array) -> jax.Array:
    """Shows pictures in pixels 1.5 to 4 times as large."""
    factor, phase = _drawn(key, images, (1.5, 4), (0, 1))
    positions = (jnp.round(_centred(images.shape[-1]) / factor + phase) - phase) * factor
    weights = _between(positions, images.shape[-1])
    return _weighed(weights, _blurred(images, factor / 3), weights)


def thicken(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws strokes with a thicker pen."""
    (much,) = _drawn(key, images, (0.3, 1))
    return images + much * (_dilated(images) - images)


def thin(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws strokes with a thinner pen."""
    (much,) = _drawn(key, images, (0.3, 0.9))
    return images - much * (images - _eroded(images))


def outline(key: jax.Array, images: jax.Array) -> jax.Array:
    """Leaves nothing but edges, outside the ink or inside it, a pixel wide."""
    level, side, ink = _drawn(key, images, (0.2, 0.6), (-1, 1), (0.6, 1))
    shape = (images > level).astype(images.dtype)
    return ink * jnp.where(side > 0, _dilated(shape) - shape, shape - _eroded(shape))


def harden(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes pictures black and white, or nearly."""
    level, slope = _drawn(key, images, (0.2, 0.7), (2, 20))
    return jnp.clip((images - level) * slope + 0.5, 0, 1)


def fade(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lowers the contrast: a brighter background, darker ink."""
    background, ink, gamma = _drawn(key, images, (0, 0.6), (0.3, 1), (0.5, 2))
    return background + (1 - background) * ink * images**gamma


def overexpose(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds light until the brightest is cut off."""
    (light,) = _drawn(key, images, (0.1, 0.65))
    return jnp.minimum(images + light, 1)


def shade(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lays light on the picture that rises from one side to the other."""
    angle, light, ink = _drawn(key, images, (0, 2 * math.pi), (0.2, 0.9), (0.5, 1))
    across = _centred(images.shape[-1]) / images.shape[-1]
    slope = jnp.cos(angle) * across + jnp.sin(angle) * across[:, None]
    background = light * jnp.clip(slope + 0.5, 0, 1)
    return background + (1 - background) * ink * images


def fog(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lays fog on the picture, up to two and a half times as bright as the ink."""
    strength, roughness = _drawn(key, images, (0.3, 2.5), (0.4, 0.7))
    clouds = sum(
        roughness**octave * _smooth_noise(jax.random.fold_in(key, octave), images, size)
        for octave, size in enumerate((2, 3, 5, 9, 17))
    )
    low, high = clouds.min((1, 2), keepdims=True), clouds.max((1, 2), keepdims=True)
    return (images + strength * (clouds - low) / (high - low)) / (1 + strength)


def band(key: jax.Array, images: jax.Array) -> jax.Array:
    """Changes brightness in bands, along or across: a fold, tape, a shadow; at its strongest, a negative."""
    period, phase, width, level = _drawn(key, images, (6, 40), (0, 1), (0.15, 0.6), (0.4, 1.6))
    across = jnp.arange(images.shape[-1], dtype=images.dtype)
    inside = (across / period + phase) % 1 < width
    turned = _turned(key, images)
    return _turned(key, jnp.where(inside, jnp.abs(jnp.minimum(level, 1) - turned), turned))


def line(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws a line from edge to edge, straight or zigzag, whole or dotted."""
    start, end, height, period, duty, dot, width, ink = _drawn(
        key, images, (0, 27), (0, 27), (-6, 6), (4, 14), (0.3, 1.6), (2, 6), (0.5, 1.6), (0.4, 1.6)
    )
    x = jnp.arange(images.shape[-1], dtype=images.dtype)
    height = jnp.maximum(height, 0)  # Half of them are straight.
    tooth = jnp.abs((x / period) % 1 * 2 - 1) * 2 - 1
    y = start + (end - start) * x / images.shape[-1] + height * tooth
    slope = jnp.abs(end - start) / images.shape[-1] + 4 * height / period
    away = jnp.abs(x[:, None] - y) / jnp.sqrt(1 + slope**2)
    stroke = jnp.clip(width - away, 0, 1) * ((x / dot) % 1 < duty) * jnp.minimum(ink, 1)
    return jnp.maximum(images, _turned(key, stroke))


def blot(key: jax.Array, images: jax.Array) -> jax.Array:
    """Splashes ink on the picture, or water that washes ink away."""
    level, ink, water = _drawn(key, images, (0.2, 1.3), (0.3, 1.3), (-2, 1))
    wet = jnp.clip(4 * (_smooth_noise(jax.random.fold_in(key, 1), images, 10) - level), 0, 1)
    return jnp.where(water > 0, images * (1 - wet), jnp.maximum(images, jnp.minimum(ink, 1) * wet))


def cover(key: jax.Array, images: jax.Array) -> jax.Array:
    """Covers a rectangle of 3 to 10 pixels a side, of any grey."""
    x, y, width, height, grey = _drawn(key, images, (-12, 12), (-12, 12), (1.5, 5), (1.5, 5), (-0.5, 1))
    across = _centred(images.shape[-1])
    covered = (jnp.abs(across - x) < width) & (jnp.abs(across[:, None] - y) < height)
    return jnp.where(covered, jnp.maximum(grey, 0), images)


def grain(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds Gaussian noise of a standard deviation from 0.05 to 0.4."""
    (sigma,) = _drawn(key, images, (0.05, 0.4))
    return jnp.clip(images + sigma * jax.random.normal(jax.random.fold_in(key, 1), images.shape), 0, 1)


def photons(key: jax.Array, images: jax.Array) -> jax.Array:
    """Counts 2 to 20 photons where the ink is 1: noise that grows with brightness, nearly Poisson's."""
    (count,) = _drawn(key, images, (2, 20))
    noise = jax.random.normal(jax.random.fold_in(key, 1), images.shape)
    return jnp.clip(images + jnp.sqrt(images / count) * noise, 0, 1)


def salt(key: jax.Array, images: jax.Array) -> jax.Array:
    """Makes 2 to 35 % of the pixels white or black."""
    share, white = _drawn(key, images, (0.02, 0.35), (0.2, 0.8))
    lot = jax.random.uniform(jax.random.fold_in(key, 1), images.shape)
    return jnp.where(lot < share * white, 1, jnp.where(lot < share, 0, images))


DISTORTIONS: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    function.__name__: function
    for function in (
        *(stretch, zoom, wave, defocus, shake, frost, coarsen, thicken, thin, outline, harden, fade),
        *(overexpose, shade, fog, band, line, blot, cover, grain, photons, salt),
    )
}


def _drawn(key: jax.Array, images: jax.Array, *ranges: tuple[float, float]) -> jax.Array:
    """Draws a number of each range for each picture: `(ranges, batch, 1, 1)`, to be unpacked."""
    low, high = jnp.array(ranges, images.dtype).T[:, :, None, None, None]
    return jax.random.uniform(key, (len(ranges), len(images), 1, 1), minval=low, maxval=high)


def _smooth_noise(key: jax.Array, images: jax.Array, size: int) -> jax.Array:
    """Draws Gaussian noise on `size`×`size` points, and interpolates it to the size of the pictures."""
    return _enlarged(jax.random.normal(key, (len(images), size, size)), images.shape[-1])


def _enlarged(points: jax.Array, side: int) -> jax.Array:
    """Interpolates `(batch, size, size)` linearly to `(batch, side, side)`."""
    size = points.shape[-1]
    weights = _between(jnp.linspace(-(size - 1) / 2, (size - 1) / 2, side)[None], size)
    return _weighed(weights, points, weights)


def _blurred(images: jax.Array, sigma: jax.Array) -> jax.Array:
    across = _centred(images.shape[-1])
    weights = jax.nn.softmax(-(((across[:, None] - across) / sigma) ** 2) / 2, axis=-1)
    return _weighed(weights, images, weights)


def _between(positions: jax.Array, size: int) -> jax.Array:
    """Weighs `size` pixels for linear interpolation at centred positions, `(..., 1, n)`: `(..., n, size)`."""
    return jnp.maximum(0, 1 - jnp.abs(positions.mT - _centred(size)))


def _weighed(rows: jax.Array, images: jax.Array, columns: jax.Array) -> jax.Array:
    """Makes each pixel a weighted sum of rows and columns, whose weights may differ by picture."""
    return rows @ images @ columns.mT


def _dilated(images: jax.Array) -> jax.Array:
    """Takes the brightest of a pixel and its four neighbours."""
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    sides = padded[:, 2:, 1:-1], padded[:, :-2, 1:-1], padded[:, 1:-1, 2:], padded[:, 1:-1, :-2]
    return jnp.stack([images, *sides]).max(0)


def _eroded(images: jax.Array) -> jax.Array:
    """Takes the darkest of a pixel and its four neighbours."""
    return -_dilated(-images)


def _turned(key: jax.Array, images: jax.Array) -> jax.Array:
    """Exchanges rows and columns of half of the pictures; twice with one key changes nothing."""
    coin = jax.random.bernoulli(jax.random.fold_in(key, 1), shape=(len(images), 1, 1))
    return jnp.where(coin, images.swapaxes(1, 2), images)

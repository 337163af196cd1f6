"""Corruptions that change brightness, and noise.

Every corruption is a function of a random key and of `float32 (batch, side, side)`
images in [0, 1], ink 1 on background 0. It returns images of the same shape and range.
"""

import math

import jax
import jax.numpy as jnp

from cnn.augmentation.affine import centered_coordinates
from cnn.augmentation.corruption_sampling import (
    random_transpose,
    sample_noise_field,
    sample_uniform,
)

# Points per axis of the fog's octaves, coarse to fine.
_FOG_OCTAVES = (2, 3, 5, 9, 17)


def threshold(key: jax.Array, images: jax.Array) -> jax.Array:
    """Applies a soft threshold: steep contrast around a level in [0.2, 0.7]."""
    level, slope = sample_uniform(
        key,
        images,
        (0.2, 0.7),  # brightness that becomes 0.5
        (2, 20),  # slope at this brightness
    )
    stretched = (images - level) * slope
    return jnp.clip(stretched + 0.5, 0, 1)


def contrast(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lowers the contrast: brighter background, darker ink, random gamma."""
    background, ink, gamma = sample_uniform(
        key,
        images,
        (0, 0.6),  # brightness of the background
        (0.3, 1),  # brightness of the ink above the background
        (0.5, 2),  # exponent
    )
    max_ink = (1 - background) * ink
    return background + max_ink * images**gamma


def brightness(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds 0.1 to 0.65 and clips at 1."""
    (light,) = sample_uniform(key, images, (0.1, 0.65))
    return jnp.minimum(images + light, 1)


def linear_illumination(key: jax.Array, images: jax.Array) -> jax.Array:
    """Brightens the background by a linear gradient of random direction."""
    angle, light, ink = sample_uniform(
        key,
        images,
        (0, 2 * math.pi),  # direction of the gradient
        (0.2, 0.9),  # brightness of the light
        (0.5, 1),  # brightness of the ink above the background
    )
    side = images.shape[-1]
    coordinates = centered_coordinates(side) / side
    x = coordinates
    y = coordinates[:, None]
    horizontal = jnp.cos(angle) * x
    vertical = jnp.sin(angle) * y
    gradient = horizontal + vertical
    illumination = jnp.clip(gradient + 0.5, 0, 1)
    background = light * illumination
    max_ink = (1 - background) * ink
    return background + max_ink * images


def fog(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds fractal noise of 0.3 to 2.5 times the ink's brightness, renormalized."""
    strength, roughness = sample_uniform(
        key,
        images,
        (0.3, 2.5),  # brightness of the fog, relative to full ink
        (0.4, 0.7),  # amplitude of an octave, relative to the one before
    )
    noise = jnp.zeros(())
    for octave, size in enumerate(_FOG_OCTAVES):
        octave_key = jax.random.fold_in(key, octave)
        field = sample_noise_field(octave_key, images, size)
        amplitude = roughness**octave
        noise = noise + amplitude * field
    low = noise.min((1, 2), keepdims=True)
    high = noise.max((1, 2), keepdims=True)
    scaled = strength * (noise - low)
    haze = scaled / (high - low)
    hazy = images + haze
    return hazy / (1 + strength)


def stripe(key: jax.Array, images: jax.Array) -> jax.Array:
    """Inverts brightness, partly or fully, in parallel horizontal or vertical bands."""
    period, phase, width, level = sample_uniform(
        key,
        images,
        (6, 40),  # distance between bands, in pixels
        (0, 1),  # phase, in periods
        (0.15, 0.6),  # width of a band, in periods
        (0.4, 1.6),  # brightness of inverted paper, clipped at 1
    )
    side = images.shape[-1]
    columns = jnp.arange(side, dtype=images.dtype)
    position = (columns / period + phase) % 1
    is_inside = position < width
    transposed = random_transpose(key, images)
    level = jnp.minimum(level, 1)
    inverted = jnp.abs(level - transposed)
    striped = jnp.where(is_inside, inverted, transposed)
    return random_transpose(key, striped)


def gaussian_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds Gaussian noise with a standard deviation of 0.05 to 0.4."""
    (sigma,) = sample_uniform(key, images, (0.05, 0.4))
    noise_key = jax.random.fold_in(key, 1)
    noise = jax.random.normal(noise_key, images.shape)
    noisy = images + sigma * noise
    return jnp.clip(noisy, 0, 1)


def shot_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds shot noise of 2 to 20 photons per pixel of full brightness.

    The Poisson distribution is approximated by a Gaussian of the same variance.
    """
    (photons,) = sample_uniform(key, images, (2, 20))
    noise_key = jax.random.fold_in(key, 1)
    noise = jax.random.normal(noise_key, images.shape)
    variance = images / photons
    sigma = jnp.sqrt(variance)
    noisy = images + sigma * noise
    return jnp.clip(noisy, 0, 1)


def impulse_noise(key: jax.Array, images: jax.Array) -> jax.Array:
    """Sets 2 to 35 % of the pixels to white or black (salt-and-pepper noise)."""
    share, white_share = sample_uniform(
        key,
        images,
        (0.02, 0.35),  # share of the pixels that change
        (0.2, 0.8),  # share of white among those
    )
    pixel_key = jax.random.fold_in(key, 1)
    uniform = jax.random.uniform(pixel_key, images.shape)
    is_white = uniform < share * white_share
    is_changed = uniform < share
    peppered = jnp.where(is_changed, 0, images)
    return jnp.where(is_white, 1, peppered)

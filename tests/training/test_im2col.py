import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cnn.training.im2col import as_matrix, im2col, im2col_4x4, pool_size, shift_kernel


def convolve(images, kernel):
    return lax.conv_general_dilated(
        images,
        kernel,
        window_strides=(1, 1),
        padding="VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision="highest",
    )


def test_the_product_of_im2col_and_kernel_is_a_convolution():
    images = jax.random.normal(jax.random.key(0), (2, 6, 5, 3))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 3, 4))
    product = im2col(images, 4, 3) @ as_matrix(kernel)
    np.testing.assert_allclose(product, convolve(images, kernel), atol=1e-5)


def test_the_product_of_4x4_pixels_and_shifted_kernels_is_a_convolution():
    images = jax.random.normal(jax.random.key(0), (2, 8, 6, 1))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 1, 4))
    product = im2col_4x4(images, axis=-1) @ shift_kernel(kernel)
    pooling_windows = product.reshape(2, 3, 2, 2, 2, 4)
    result = pooling_windows.transpose(0, 1, 3, 2, 4, 5).reshape(2, 6, 4, 4)
    np.testing.assert_allclose(result, convolve(images, kernel), atol=1e-5)


def test_pooling_drops_an_odd_last_row_and_column():
    assert pool_size(jnp.zeros((1, 13, 12, 1))) == (5, 5)

"""Frequencies of an image.

`scipy.fft` is far quicker than `cv2.dft` if a side has a large prime factor. It is
imported late, because that takes as long as all other imports of a process that decodes
images, and small images do not need it.
"""

import numpy as np


def window_spectrum(deviation: np.ndarray) -> np.ndarray:
    """Returns the amplitudes of all frequencies, in levels.

    A Hann window hides the edges of the image, which are no frequencies of it.

    Args:
      deviation: `float32 (height, width)`.

    Returns:
      `float32 (height, width)`, from frequency 0 as in `np.fft.fft2`.
    """
    height, width = deviation.shape
    window = np.outer(_hann(height), _hann(width))
    import scipy.fft

    spectrum = scipy.fft.rfft2(deviation * window)
    half = np.abs(spectrum)
    amplitudes = np.empty_like(deviation)
    amplitudes[:, : width // 2 + 1] = half
    # The spectrum of a real image is symmetric.
    amplitudes[0, width // 2 + 1 :] = half[0, (width - 1) // 2 : 0 : -1]
    amplitudes[1:, width // 2 + 1 :] = half[:0:-1, (width - 1) // 2 : 0 : -1]
    # A wave has half of its amplitude at the negative frequency.
    amplitudes *= np.float32(2 / window.sum())
    return amplitudes


def _hann(size: int) -> np.ndarray:
    return np.hanning(size + 2)[1:-1].astype(np.float32)


def keep_frequencies(deviation: np.ndarray, is_kept: np.ndarray) -> np.ndarray:
    """Returns the part of an image at some frequencies, `float32 (height, width)`."""
    import scipy.fft

    spectrum = scipy.fft.rfft2(deviation)
    spectrum *= is_kept[:, : spectrum.shape[1]]
    return np.asarray(scipy.fft.irfft2(spectrum, deviation.shape))

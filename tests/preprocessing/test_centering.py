import numpy as np

from cnn.preprocessing import centering


def test_thin_strokes_are_thickened_and_others_left():
    thin = np.zeros((200, 200), np.float32)
    thin[20:180, 99:101] = 1
    wide = centering.thicken_strokes(thin)
    # 2.2 of 20 pixels, of a stroke 160 pixels high, are 17.6 pixels.
    assert 15 <= (wide[100] > 0.5).sum() <= 20
    broad = np.pad(np.ones((160, 30), np.float32), 20)
    np.testing.assert_array_equal(centering.thicken_strokes(broad), broad)
    small = thin[80:110, 80:110]
    np.testing.assert_array_equal(centering.thicken_strokes(small), small)

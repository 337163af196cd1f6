"""Converts one image file of any size, colors and polarity to 28×28 network inputs.

`pipeline` has the functions for this. It is not imported here, as are no other modules:
most processes need few of them.
"""

"""Imports h5py apart from the user's environment.

HDF5 takes drivers and plugins from variables such as HDF5_DRIVER and
HDF5_VOL_CONNECTOR, and cannot start where one is missing.
"""

import os

_variables = {name: value for name, value in os.environ.items() if name[:5] == "HDF5_"}
for _name in _variables:
    del os.environ[_name]
try:
    import h5py as h5py
finally:
    os.environ.update(_variables)

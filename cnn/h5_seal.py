"""Seals our model files with a checksum, which is verified before HDF5 reads a file.

HDF5 notices few changed bytes, and some make it search for ever. An HDF5 file may begin
with a user block of 512 bytes, which every reader of HDF5 skips. Ours holds the SHA-256
of the rest of the file.
"""

import hashlib

# Size of the user block in bytes, the smallest that HDF5 allows.
USER_BLOCK_SIZE = 512

_MARK = b"cnn model, sha256 "


def seal(content: bytes) -> bytes:
    """Returns an HDF5 file with the checksum in its user block.

    Args:
      content: the file, with a user block of `USER_BLOCK_SIZE` bytes.
    """
    rest = content[USER_BLOCK_SIZE:]
    return _user_block(rest) + rest


def is_sealed(content: bytes) -> bool:
    """Tells whether a file has a seal, broken or not."""
    return _MARK in content[:USER_BLOCK_SIZE]


def is_intact(content: bytes) -> bool:
    """Tells whether a sealed file is as it was written, down to the last bit."""
    return content[:USER_BLOCK_SIZE] == _user_block(content[USER_BLOCK_SIZE:])


def _user_block(rest: bytes) -> bytes:
    line = _MARK + hashlib.sha256(rest).hexdigest().encode() + b"\n"
    # Damage to a single line would make the file look like one without a seal.
    copies = USER_BLOCK_SIZE // len(line)
    return (line * copies).ljust(USER_BLOCK_SIZE, b"\n")

"""Seals our model files with a checksum, which is verified before HDF5 reads a file.

HDF5 notices few changed bytes, and some make it search for ever. An HDF5 file may begin
with a user block of 512 bytes, which every reader of HDF5 skips. Ours holds the SHA-256
of the rest of the file.
"""

import hashlib

# Size of the user block in bytes, the smallest that HDF5 allows.
USER_BLOCK_SIZE = 512

_MARK = b"cnn model, sha256 "
# Four bytes of HDF5's superblock, which tell that a program has the file open to write.
_OPEN_FLAGS = slice(USER_BLOCK_SIZE + 20, USER_BLOCK_SIZE + 24)


def seal(content: bytes) -> bytes:
    """Returns an HDF5 file with the checksum in its user block.

    Args:
      content: the file, with a user block of `USER_BLOCK_SIZE` bytes, and a superblock
        of version 0.
    """
    return _user_block(content) + content[USER_BLOCK_SIZE:]


def is_sealed(content: bytes) -> bool:
    """Tells whether a file has a seal, broken or not."""
    return _MARK in content[:USER_BLOCK_SIZE]


def is_intact(content: bytes) -> bool:
    """Tells whether a sealed file is as it was written, but for who has it open."""
    return content[:USER_BLOCK_SIZE] == _user_block(content)


def _user_block(content: bytes) -> bytes:
    digest = hashlib.sha256(content[USER_BLOCK_SIZE : _OPEN_FLAGS.start])
    digest.update(content[_OPEN_FLAGS.stop :])
    line = _MARK + digest.hexdigest().encode() + b"\n"
    # Damage to a single line would make the file look like one without a seal.
    copies = USER_BLOCK_SIZE // len(line)
    return (line * copies).ljust(USER_BLOCK_SIZE, b"\n")

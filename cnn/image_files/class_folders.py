"""Names of files and folders for any text, such as the folder of a class."""

import re

# Characters that no name of a file has, and a dot that would hide it. Also a percent
# sign that `from_file_name` would take for one of ours.
_RESERVED = re.compile(r"^\.|[/\0]|%(?=2F|00|2E|25)")
_ESCAPED = re.compile("%(2F|00|2E|25)")


def to_file_name(text: str) -> str:
    """Returns a text as the name of a file or folder, by percent-encoding.

    Only what cannot be such a name is changed: `/`, the null character, a dot at the
    beginning, and the percent sign of what looks encoded.

    Args:
      text: any text but an empty one.

    Example:
      >>> to_file_name("a/7.png"), to_file_name(".."), to_file_name("100%")
      ('a%2F7.png', '%2E.', '100%')
    """
    return _RESERVED.sub(lambda match: f"%{ord(match[0]):02X}", text)


def from_file_name(name: str) -> str:
    """Returns the text of a name, the inverse of `to_file_name`.

    Example:
      >>> from_file_name("%2F"), from_file_name("100%")
      ('/', '100%')
    """
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)

"""Rewrites the tables of flags in the documents from `cnn.config`.

Run after a change of a setting: python -m tests.make_flag_tables
"""

import re

from cnn.config import InferConfig, ServeConfig, TrainConfig
from cnn.config_schema import Setting, describe_settings
from tests.conftest import ROOT

CONFIGS = {"train": TrainConfig, "infer": InferConfig, "serve": ServeConfig}
# Where each table is.
DOCUMENTS = {
    "train": ROOT / "cnn" / "training" / "README.md",
    "infer": ROOT / "cnn" / "inference" / "README.md",
    "serve": ROOT / "cnn" / "serving" / "README.md",
}


def main() -> None:
    """Rewrites all tables."""
    for command, document in DOCUMENTS.items():
        text = document.read_text()
        text = text.replace(find_block(text, command), make_block(command))
        document.write_text(text)


def find_block(text: str, command: str) -> str:
    """Returns a document's lines from the marker of a command to the end marker."""
    pattern = rf"<!-- flags: {command} -->.*?<!-- end flags -->"
    (block,) = re.findall(pattern, text, re.DOTALL)
    return block


def make_block(command: str) -> str:
    """Makes the marked table of a command's flags."""
    rows = [make_row(setting) for setting in describe_settings(CONFIGS[command])]
    lines = ["| flag | default | meaning |", "|---|---|---|", *rows]
    return "\n".join([f"<!-- flags: {command} -->", *lines, "<!-- end flags -->"])


def make_row(setting: Setting) -> str:
    """Makes the row of one flag."""
    default = setting.default
    default = f"`{default}`" if setting.is_literal else quote_flags(default)
    return f"| `{setting.flag}` | {default} | {quote_flags(setting.meaning)} |"


def quote_flags(sentence: str) -> str:
    """Puts flags and variables in backticks."""
    return re.sub(r"--[a-z][a-z-]*|\$[A-Z_]+|~/\w+", r"`\g<0>`", sentence)


if __name__ == "__main__":
    main()

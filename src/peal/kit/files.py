"""Who may read what Peal writes: its owner, its owner's group, and nobody else."""

import os
from pathlib import Path

NOBODY_ELSE = 0o027
"""What nobody is given at a file's making: files are 0640 at most, folders 0750."""


def keep_to_ourselves() -> None:
    """Have this process, and all that it starts, make no file that others can read."""
    os.umask(os.umask(NOBODY_ELSE) | NOBODY_ELSE)


def make_folder(folder: Path) -> None:
    """Make a folder that holds others, and those above it that are missing.

    Started as root, Kamailio and rtpengine have users of their own, who must be able to pass it.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(exist_ok=True)
            if os.getuid() == 0:
                each.chmod(0o711)

"""Files that appear under their final name only when they are complete."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mmcloudseg.utils.errors import DataError


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A temporary name to write to, renamed to ``path`` when the block ends without an error.

    Args:
        path: The final name; its folder is made if missing.

    Yields:
        The temporary path, in the same folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file with Unix line ends, which appears when it is complete."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write an output or its folder into a :class:`DataError` that names it."""
    try:
        yield
    except OSError as error:
        megabytes = shutil.disk_usage(path).free / 1e6 if path.is_dir() else None
        free = "" if megabytes is None else f", {megabytes:.0f} MB are free there"
        raise DataError(
            f"{path}: cannot be written ({str(error).splitlines()[0]}{free}). Free some space, or "
            "choose another output path."
        ) from error

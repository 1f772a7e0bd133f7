"""One run at a time writes to a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from mmcloudseg.utils.errors import DataError

# The worker processes of a killed run hold the lock until they notice that it is gone.
PATIENCE_S = 5.0
SECONDS_BETWEEN_TRIES = 0.05


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process and the processes that it forks.

    The lock is on the folder itself and not on a file in it, as with ``filelock.FileLock``: no
    lock file is left behind by a killed run, and none is lost when the holder empties the folder.
    The kernel releases the lock when the last of these processes has ended, however it ended.

    Args:
        folder: The folder. It is created if missing, and removed again if it is empty at the end.

    Raises:
        DataError: If another run still holds the folder after ``PATIENCE_S`` seconds.
        OSError: If the folder cannot be created.
    """
    created = not folder.exists()
    deadline = time.monotonic() + PATIENCE_S
    while (handle := _try_to_lock(folder)) is None:
        if time.monotonic() > deadline:
            raise DataError(
                f"{folder}: another run is writing to this folder. Wait until it has finished, or "
                "stop it."
            )
        time.sleep(SECONDS_BETWEEN_TRIES)
    try:
        yield
    finally:
        os.close(handle)
        if created:
            with suppress(OSError):
                folder.rmdir()


def _try_to_lock(folder: Path) -> int | None:
    """An open, locked handle of the folder, or None if another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # its last holder has just removed it
        return None
    try:
        locked = lock_descriptor(handle, blocking=False)
    except OSError:
        # Some network file systems have no locks: the run goes on without this protection.
        locked = True
    if locked:
        with suppress(FileNotFoundError):
            # The last holder may have removed the folder, and another process created it again.
            if os.path.samestat(os.fstat(handle), os.stat(folder)):
                return handle
    os.close(handle)
    return None

"""One process at a time writes to a folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmcloudseg.utils.errors import DataError

# The processes of a run that was killed hold the lock until they notice.
PATIENCE_S = 5.0


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process and those that it forks; leaves nothing in it.

    The kernel lets go when the last of them has ended, however it ended.

    Args:
        folder: The folder; made if missing, and removed again if it then stays empty.

    Raises:
        DataError: If another process holds it.
        OSError: If it cannot be made.
    """
    made = not folder.exists()
    handle = _hold(folder, time.monotonic() + PATIENCE_S)
    try:
        yield
    finally:
        os.close(handle)
        if made:
            with suppress(OSError):
                folder.rmdir()


def _hold(folder: Path, deadline: float) -> int:
    """Open and lock the folder; again if whoever held it has removed it meanwhile."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            _acquire(handle, folder, deadline)
            if folder.exists() and os.path.samestat(os.fstat(handle), os.stat(folder)):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _acquire(handle: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DataError(
                    f"{folder}: another run is writing to this folder. Wait for it, or stop it."
                ) from None
            time.sleep(0.05)
        except OSError:
            # Some network file systems know no locks: nothing is lost but this protection.
            return

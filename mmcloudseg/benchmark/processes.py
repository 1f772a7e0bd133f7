"""Child processes that end with their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE_S = 5.0


class Processes:
    """Runs commands, from several threads; ``stop`` ends all of them and lets none start."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def call(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        """Run a command to its end.

        Args:
            command: Program and arguments.
            log: File to which its output is appended.
            environment: Variables beside the present ones.

        Returns:
            Its exit status; negative if a signal ended it.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as output:
            with self._lock:
                if self._stopped:
                    return -signal.SIGTERM
                # In a session of its own, so that its data loaders can be ended with it.
                child = subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **environment},
                    start_new_session=True,
                )
                self._running.add(child)
            try:
                return child.wait()
            finally:
                with self._lock:
                    self._running.discard(child)

    def stop(self) -> None:
        """End everything that runs: asked first, killed if it does not end in 5 s."""
        with self._lock:
            self._stopped = True
            children = list(self._running)
        for child in children:
            _signal(child, signal.SIGTERM)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE_S)
            _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen, number: int) -> None:
    # Its session's number is its own; it may have ended a moment ago.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)

"""Execution of the runs of a suite: the missing ones, several at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tqdm import tqdm

from mmcloudseg.benchmark.run import Call, Run
from mmcloudseg.engine.checkpoints import BEST


class Runner:
    """Executes runs, ``jobs`` at a time, by ``call``; None starts processes, which share cores."""

    def __init__(self, jobs: int = 1, call: Call | None = None) -> None:
        self.jobs = jobs
        self.processes = Processes()
        self.call = call or self.processes.call
        self.threads = max((os.cpu_count() or 1) // jobs, 1)
        self._now: dict[Path, str] = {}

    def run(self, runs: Iterable[Run]) -> dict[Path, str]:
        """Execute the runs that are not finished; return folder -> reason of those that failed.

        They are in the order of ``plan_runs``. An interrupt ends their processes and is raised.
        """
        runs = list(runs)
        waiting = [run for run in runs if not run.finished()]
        done = len(runs) - len(waiting)
        bar = tqdm(total=len(runs), initial=done, desc="runs", unit="run", dynamic_ncols=True)
        futures: dict[Path, Future[str | None]] = {}
        with bar, ThreadPoolExecutor(self.jobs) as pool:
            try:
                for run in waiting:
                    teacher = None if run.teacher is None else futures.get(run.teacher)
                    futures[run.folder] = pool.submit(self._execute, run, teacher, bar)
                self._watch(set(futures.values()), bar)
            except BaseException:
                # Leaving the pool waits for its threads, which wait for the processes.
                pool.shutdown(wait=False, cancel_futures=True)
                self.processes.stop()
                raise
        reasons = {folder: future.result() for folder, future in futures.items()}
        return {folder: reason for folder, reason in reasons.items() if reason is not None}

    def _watch(self, pending: set[Future[str | None]], bar: tqdm) -> None:
        while pending:
            _, pending = wait(pending, timeout=2, return_when=FIRST_COMPLETED)
            now = "; ".join(list(self._now.values()))
            # A terminal shows the time passing; a log file gets one line for each change.
            if now != bar.postfix or sys.stderr.isatty():
                bar.set_postfix_str(now)

    def _execute(self, run: Run, teacher: Future[str | None] | None, bar: tqdm) -> str | None:
        """Execute one run and return why it failed; None if it did not."""

        def started(step: str) -> None:
            self._now[run.folder] = f"{run.method.key} {run.seed} {step}"

        # Teachers are submitted first, so one that is waited for here is already running.
        teacher_failed = teacher is not None and teacher.result() is not None
        start = time.monotonic()
        reason = None
        try:
            if teacher_failed and run.teacher and not (run.teacher / BEST).is_file():
                raise RuntimeError(f"its teacher failed; see {run.teacher}")
            run.execute(self.call, {"OMP_NUM_THREADS": str(self.threads)}, started)
        except Exception as error:  # one run must not stop the others
            reason = str(error) or type(error).__name__
        self._now.pop(run.folder, None)
        if not self.processes.stopped:
            word = "finished" if reason is None else f"FAILED, {reason}"
            bar.write(f"{run.name}: {word} ({time.monotonic() - start:.0f} s)")
            bar.update()
        return reason


class Processes:
    """Runs commands from several threads; ``stop`` ends all of them and prevents new ones.

    The executors of ``concurrent.futures`` and joblib can neither end a call that is running nor
    the processes that it has started.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self.stopped = False

    def call(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        """Run a command, append its output to a log and return its exit status.

        The status is negative if a signal ended it; ``environment`` extends the present one.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as output:
            with self._lock:
                if self.stopped:
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
        """Terminate all running commands; those that do not end within 5 s are killed."""
        with self._lock:
            self.stopped = True
            children = list(self._running)
        for child in children:
            _signal(child, signal.SIGTERM)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)
            _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen, number: int) -> None:
    # The child leads a session and its process group, but may have ended a moment ago.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)

"""Runs a suite: what is missing, several runs at a time, whatever becomes of the others."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mmcloudseg.benchmark.processes import Processes
from mmcloudseg.benchmark.run import Call, Run
from mmcloudseg.benchmark.suite import Suite
from mmcloudseg.engine.checkpoints import BEST

_REFRESH_S = 2.0


def plan_runs(
    suite: Suite,
    work_dir: Path,
    options: Mapping[str, Any] | None = None,
    data_root: str | None = None,
) -> list[Run]:
    """All runs of a suite: teachers first, then seed by seed, so that a stop leaves whole seeds.

    Args:
        suite: The suite.
        work_dir: Runs lie in it as ``seed_<n>/<method>``.
        options: Dotted config keys and values for every method.
        data_root: Replaces the configs' data root.
    """
    taught = {method.teacher for method in suite.methods.values()} - {None}

    def depth(key: str) -> int:
        teacher = suite.methods[key].teacher
        return 0 if teacher is None else 1 + depth(teacher)

    def folder(key: str, seed: int) -> Path:
        return work_dir / f"seed_{seed}" / key

    runs = [
        Run(
            method=method,
            seed=seed,
            folder=folder(method.key, seed),
            teacher=None if method.teacher is None else folder(method.teacher, seed),
            options=options or {},
            data_root=data_root,
            # A teacher that is not shown need not be measured under clouds.
            robustness=suite.robustness if method.listed else None,
        )
        for seed in suite.seeds
        for method in suite.methods.values()
    ]
    return sorted(
        runs,
        key=lambda run: (
            (0, depth(run.method.key)) if run.method.key in taught else (1, 0),
            run.seed,
            depth(run.method.key),
        ),
    )


class Runner:
    """Executes runs in processes of their own.

    Args:
        jobs: Runs at a time, which share the cores.
        call: Runs a command; None starts processes.
    """

    def __init__(self, jobs: int = 1, call: Call | None = None) -> None:
        self.jobs = jobs
        self.processes = Processes()
        self.call = call or self.processes.call
        self.threads = max((os.cpu_count() or 1) // jobs, 1)
        self._now: dict[Path, str] = {}

    def run(self, runs: Iterable[Run]) -> dict[Path, str]:
        """Do what is missing.

        Args:
            runs: As ``plan_runs`` gives them.

        Returns:
            Folder -> what went wrong, of the runs that failed.

        Raises:
            KeyboardInterrupt: As it came; what runs is ended first.
        """
        runs = list(runs)
        waiting = [run for run in runs if not run.finished()]
        failed: dict[Path, str] = {}
        running: dict[Future, tuple[Run, float]] = {}
        done = len(runs) - len(waiting)
        # Leaving the pool waits for its threads, so what they wait for is ended inside it.
        with ThreadPoolExecutor(self.jobs) as pool:
            bar = tqdm(total=len(runs), initial=done, desc="runs", unit="run", dynamic_ncols=True)
            try:
                with bar:
                    while waiting or running:
                        self._start(pool, waiting, running, failed, bar)
                        self._collect(running, failed, bar)
            except BaseException:
                self.processes.stop()
                raise
        return failed

    def _start(
        self,
        pool: ThreadPoolExecutor,
        waiting: list[Run],
        running: dict[Future, tuple[Run, float]],
        failed: dict[Path, str],
        bar: tqdm,
    ) -> None:
        unfinished = {run.folder for run in waiting} | {run.folder for run, _ in running.values()}
        for run in list(waiting):
            if run.teacher in failed and not (run.teacher / BEST).is_file():
                waiting.remove(run)
                failed[run.folder] = f"its teacher failed; see {run.teacher}"
                bar.write(f"{run.name}: {failed[run.folder]}")
                bar.update()
            elif run.teacher not in unfinished and len(running) < self.jobs:
                waiting.remove(run)
                future = pool.submit(self._execute, run)
                running[future] = run, time.monotonic()

    def _execute(self, run: Run) -> None:
        def started(step: str) -> None:
            self._now[run.folder] = f"{run.method.key} {run.seed} {step}"

        try:
            run.execute(self.call, {"OMP_NUM_THREADS": str(self.threads)}, started)
        finally:
            self._now.pop(run.folder, None)

    def _collect(
        self, running: dict[Future, tuple[Run, float]], failed: dict[Path, str], bar: tqdm
    ) -> None:
        ended, _ = wait(running, timeout=_REFRESH_S, return_when=FIRST_COMPLETED)
        for future in ended:
            run, start = running.pop(future)
            error = future.exception()
            if error is not None:
                failed[run.folder] = str(error) or type(error).__name__
            word = "finished" if error is None else f"FAILED, {failed[run.folder]}"
            bar.write(f"{run.name}: {word} ({time.monotonic() - start:.0f} s)")
            bar.update()
        now = "; ".join(list(self._now.values()))
        # A terminal shows the time passing; a log file gets a line for each change.
        if now != bar.postfix or sys.stderr.isatty():
            bar.set_postfix_str(now)

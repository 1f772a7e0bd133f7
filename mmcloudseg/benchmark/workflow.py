"""A benchmark from the file of its suite to its report."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmcloudseg.benchmark.cost import measure_suite
from mmcloudseg.benchmark.options import check_methods
from mmcloudseg.benchmark.report import write_report
from mmcloudseg.benchmark.results import gather
from mmcloudseg.benchmark.run import Run, plan_runs
from mmcloudseg.benchmark.runner import Runner
from mmcloudseg.benchmark.suite import Suite, SuiteError, load_suite, raise_problems, seed_problems
from mmcloudseg.engine.configs import parse_options
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock


@dataclass(frozen=True)
class BenchmarkSettings:
    """How a suite is run.

    Attributes:
        work_dir: Folder of the runs; ``work_dirs/<suite>`` by default.
        out_dir: Folder of the report; ``report`` in the work dir by default.
        data_root: Replaces the data root of the configs.
        seeds: Replaces the seeds of the suite.
        only: Keys of the methods to run, together with their teachers; empty for all.
        jobs: Number of runs at a time.
        options: ``KEY=VALUE`` pairs that change the config of every method.
        report_only: Run nothing and report what is finished.
        cost: Whether parameters, GFLOPs, time and memory are measured.
        remeasure: Measure the cost again even if it is known.
    """

    work_dir: str | None = None
    out_dir: str | None = None
    data_root: str | None = None
    seeds: Sequence[int] | None = None
    only: Sequence[str] = ()
    jobs: int = 1
    options: Sequence[str] = ()
    report_only: bool = False
    cost: bool = True
    remeasure: bool = False


def benchmark(suite_path: str, settings: BenchmarkSettings | None = None) -> dict[Path, str]:
    """Execute the missing runs of a suite, a file of ``configs/suites/``, and write its report.

    Returns:
        Folder -> reason, for the runs that failed.

    Raises:
        SuiteError: The suite cannot be run, or there is nothing to report.
    """
    settings = settings or BenchmarkSettings()
    suite = load_suite(suite_path)
    if settings.seeds is not None:
        suite = replace(suite, seeds=tuple(settings.seeds))
    if settings.only:
        suite = suite.selected(settings.only)
    options = parse_options(settings.options)
    problems = seed_problems(suite.seeds) + check_methods(suite, options)
    folder = Path(settings.work_dir or f"work_dirs/{suite.name}")
    runs = plan_runs(suite, folder, options, settings.data_root)
    problems += [text for run in runs if (text := run.conflict()) is not None]
    raise_problems(suite_path, problems)
    failed: dict[Path, str] = {}
    if not settings.report_only:
        try:
            with folder_lock(folder):
                failed = Runner(settings.jobs).run(runs)
        except DataError as error:
            raise_problems(suite_path, [str(error)])
    try:
        _report(suite, runs, failed, folder, settings, options)
    finally:
        for run, reason in failed.items():
            print(f"FAILED {run}: {reason}", file=sys.stderr)
    return failed


def _report(
    suite: Suite,
    runs: Sequence[Run],
    failed: Mapping[Path, str],
    folder: Path,
    settings: BenchmarkSettings,
    options: Mapping[str, Any],
) -> None:
    results = gather(runs)
    if not results:
        raise SuiteError(f"{folder}: no tested run: leave out --report-only or change --work-dir")
    notes = _missing(runs, failed)
    if settings.cost:
        costs, unmeasured = measure_suite(suite, folder / "cost.json", options, settings.remeasure)
        results = [replace(one, cost=costs.get(one.method.key, {})) for one in results]
        notes += unmeasured
    out = Path(settings.out_dir or folder / "report")
    write_report(out, suite, runs, results, notes)
    print((out / "leaderboard.md").read_text("utf-8"))
    print(f"Report: {out}")


def _missing(runs: Sequence[Run], failed: Mapping[Path, str]) -> list[str]:
    """A sentence on the runs that the tables lack, without the paths of their logs."""
    lacking = {
        run.name: failed.get(run.folder, "not finished").split(";")[0]
        for run in runs
        if run.method.listed and not run.finished()
    }
    listed = "; ".join(f"{name} ({reason})" for name, reason in lacking.items())
    return [f"Missing or incomplete in these tables: {listed}."] if lacking else []

"""Benchmarks: a suite from its file to its report."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from mmcloudseg.benchmark.cost import measure_suite
from mmcloudseg.benchmark.options import check_methods
from mmcloudseg.benchmark.report import write_report
from mmcloudseg.benchmark.results import gather
from mmcloudseg.benchmark.run import Run
from mmcloudseg.benchmark.runner import Runner, plan_runs
from mmcloudseg.benchmark.suite import SuiteError, load_suite, raise_problems, seed_problems
from mmcloudseg.engine.configs import parse_options
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock


def benchmark(
    suite_path: str,
    work_dir: str | None = None,
    out_dir: str | None = None,
    data_root: str | None = None,
    seeds: Sequence[int] | None = None,
    only: Sequence[str] | None = None,
    jobs: int = 1,
    options: Sequence[str] = (),
    report_only: bool = False,
    cost: bool = True,
    remeasure: bool = False,
) -> dict[Path, str]:
    """Run what is missing of a suite and write its report.

    Args:
        suite_path: The suite's file.
        work_dir: Where runs lie; ``work_dirs/<suite>`` unless given.
        out_dir: Where the report goes; ``report`` in the work dir unless given.
        data_root: Replaces the configs' data root.
        seeds: In place of the suite's.
        only: Keys of the methods to run, with their teachers; all unless given.
        jobs: Runs at a time.
        options: ``KEY=VALUE``, which change every method's config.
        report_only: Run nothing.
        cost: Whether parameters, GFLOPs, time and memory are measured.
        remeasure: Measure cost again, though it is known.

    Returns:
        Folder -> what went wrong, of the runs that failed.

    Raises:
        SuiteError: The suite cannot be run; nothing was.
    """
    suite = load_suite(suite_path)
    problems: list[str] = []
    if seeds is not None:
        problems += seed_problems(seeds)
        suite = replace(suite, seeds=tuple(seeds))
    if only:
        suite = suite.selected(only)
    common = parse_options(options)
    problems += check_methods(suite, common)
    folder = Path(work_dir or f"work_dirs/{suite.name}")
    runs = plan_runs(suite, folder, common, data_root)
    problems += [text for run in runs if (text := run.conflict()) is not None]
    raise_problems(suite_path, problems)
    failed: dict[Path, str] = {}
    if not report_only:
        try:
            with folder_lock(folder):
                failed = Runner(jobs).run(runs)
        except DataError as error:
            raise_problems(suite_path, [str(error)])
    results = gather(runs)
    if not results:
        _print_failures(failed)
        raise SuiteError(f"{suite_path}: no run has been tested, there is nothing to report")
    costs, unmeasured = {}, []
    if cost:
        bar = functools.partial(tqdm, desc="cost", unit="method", dynamic_ncols=True)
        costs, unmeasured = measure_suite(suite, folder / "cost.json", common, remeasure, bar)
    out = Path(out_dir or folder / "report")
    write_report(out, suite, runs, results, costs, [*_missing(runs, failed), *unmeasured])
    print((out / "leaderboard.md").read_text())
    print(f"Report: {out}")
    _print_failures(failed)
    return failed


def _missing(runs: Sequence[Run], failed: Mapping[Path, str]) -> list[str]:
    """One sentence on what the tables lack, without the logs' places."""
    lacking = {
        run.name: failed.get(run.folder, "not finished").split(";")[0]
        for run in runs
        if run.method.listed and not run.finished()
    }
    listed = "; ".join(f"{name} ({reason})" for name, reason in lacking.items())
    return [f"Missing or incomplete in these tables: {listed}."] if lacking else []


def _print_failures(failed: Mapping[Path, str]) -> None:
    for folder, reason in failed.items():
        print(f"FAILED {folder}: {reason}", file=sys.stderr)

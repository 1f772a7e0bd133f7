"""Train and test the methods of a suite over its seeds; write tables, plots and environment."""

from __future__ import annotations

import argparse
import signal
import sys

EXAMPLES = """examples:
  python tools/benchmark.py configs/suites/mini.py --jobs 2
  python tools/benchmark.py configs/suites/components_mini.py --seeds 0 1 --out report
  python tools/benchmark.py configs/suites/mini.py --work-dir work_dirs/trial --seeds 0 \\
      --cfg-options train_cfg.max_iters=20
Finished runs are not repeated, so the same command resumes an interrupted benchmark.
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("suite", metavar="SUITE", help="file of the suite, such as configs/suites/mini.py")
    add("--data-root", metavar="DIR", help="root of the data (default: data_root of the configs)")
    add("--seeds", type=int, nargs="+", metavar="N", help="seeds (default: those of the suite)")
    add("--jobs", type=_positive, default=1, help="runs at a time, sharing the cores (default: 1)")
    add("--work-dir", metavar="DIR", help="folder of the runs (default: work_dirs/<suite>)")
    add("--out", metavar="DIR", help="folder of the report (default: <work dir>/report)")
    add(
        "--only",
        nargs="+",
        default=[],
        metavar="METHOD",
        help="run these and their teachers",
    )
    add("--report-only", action="store_true", help="run nothing and report what is finished")
    add("--remeasure", action="store_true", help="measure the cost again even if it is known")
    add("--no-cost", action="store_true", help="do not measure the cost")
    add(
        "--cfg-options",
        nargs="+",
        metavar="KEY=VALUE",
        default=[],
        help="change the config of every method; use a separate --work-dir for such a trial",
    )
    return parser.parse_args()


def main() -> None:
    """Execute the missing runs and write the report; a wrong suite ends in one message."""
    args = parse_args()
    # A shell ignores interrupts of commands that it starts in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from mmcloudseg.apis.benchmark import BenchmarkSettings, SuiteError, benchmark

    settings = BenchmarkSettings(
        work_dir=args.work_dir,
        out_dir=args.out,
        data_root=args.data_root,
        seeds=args.seeds,
        only=args.only,
        jobs=args.jobs,
        options=args.cfg_options,
        report_only=args.report_only,
        cost=not args.no_cost,
        remeasure=args.remeasure,
    )
    try:
        failed = benchmark(args.suite, settings)
    except SuiteError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmark: interrupted; the same command resumes it")
    sys.exit(1 if failed else 0)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return number


if __name__ == "__main__":
    main()

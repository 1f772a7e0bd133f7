"""Train and test a suite's methods over its seeds; write tables, plots and the environment."""

from __future__ import annotations

import argparse
import signal
import sys

EXAMPLES = """examples:
  python tools/benchmark.py configs/suites/mini.py --jobs 2
  python tools/benchmark.py configs/suites/components_mini.py --seeds 0 1 --out report
  python tools/benchmark.py configs/suites/mini.py --work-dir work_dirs/trial --seeds 0 \\
      --cfg-options train_cfg.max_iters=20
What is finished is not run again: the same command goes on after a stop.
"""


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("suite", metavar="SUITE", help="suite file, such as configs/suites/mini.py")
    add("--data-root", metavar="DIR", help="where the data lie (default: the configs' data_root)")
    add("--seeds", type=int, nargs="+", metavar="N", help="default: the suite's")
    add("--jobs", type=_positive, default=1, help="runs at a time, sharing the cores (default: 1)")
    add("--work-dir", metavar="DIR", help="where runs lie (default: work_dirs/<suite>)")
    add("--out", metavar="DIR", help="where the report goes (default: <work dir>/report)")
    add("--only", nargs="+", metavar="METHOD", help="these methods, and teachers they need")
    add("--report-only", action="store_true", help="run nothing: report what is finished")
    add("--remeasure", action="store_true", help="measure cost again, though it is known")
    add("--no-cost", action="store_true", help="leave cost out")
    add(
        "--cfg-options",
        nargs="+",
        metavar="KEY=VALUE",
        default=[],
        help="change every method's config, for a trial: give it a work dir of its own",
    )
    return parser.parse_args()


def main() -> None:
    """Run what is missing, then report; what is wrong with the suite ends in one message."""
    args = parse_args()
    # A shell that starts this in the background leaves interrupts ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from mmcloudseg.apis.benchmark import benchmark
    from mmcloudseg.benchmark.suite import SuiteError

    try:
        failed = benchmark(
            args.suite,
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
    except SuiteError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmark: stopped; the same command goes on where it was")
    sys.exit(1 if failed else 0)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return number


if __name__ == "__main__":
    main()

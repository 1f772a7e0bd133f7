"""Test a checkpoint under simulated clouds of each cover and kind, and without a modality."""

from __future__ import annotations

import argparse
import sys

from arguments import add_cfg_options, natural_number

EXAMPLES = """examples:
  python tools/robustness.py configs/cloudseg_mini.py work_dirs/cloudseg_mini/best.pth
  python tools/robustness.py configs/cloudseg_mini.py work_dirs/cloudseg_mini/best.pth \\
      --covers 0 50 100 --kinds thick --no-missing
"""


def percent(text: str) -> float:
    """Read a number from 0 to 100; whole numbers become integers."""
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"expected percent from 0 to 100, found {text}")
    return int(number) if number.is_integer() else number


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__} Writes robustness.json, .csv, .md and .png.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("config", help="config file; for a distillation, the student is tested")
    add("checkpoint", help="checkpoint file, such as best.pth")
    add_points(parser)
    add("--out", metavar="DIR", help="output folder (default: work_dirs/<config name>/robustness)")
    add("--data-root", metavar="DIR", help="root of the data (default: data_root of the config)")
    add("--seed", type=natural_number, default=0, help="seed of the clouds (default: 0)")
    add_cfg_options(add, "; for a distillation, use the keys of the student")
    return parser.parse_args()


def add_points(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is measured."""
    parser.add_argument(
        "--covers",
        type=percent,
        nargs="+",
        metavar="PERCENT",
        default=list(range(0, 101, 10)),
        help="shares of cloudy pixels; 0 is the clear image (default: 0 10 … 100)",
    )
    parser.add_argument(
        "--kinds",
        nargs="*",
        metavar="KIND",
        default=["thick", "thin", "fog"],
        help="kinds of clouds, one curve each: thick, thin, fog, local, mixed; without a value, "
        "no clouds are simulated (default: thick thin fog)",
    )
    without = parser.add_mutually_exclusive_group()
    without.add_argument(
        "--missing",
        nargs="+",
        choices=["optical", "sar"],
        default=["optical", "sar"],
        help="modalities to remove, one at a time, under the dataset's own clouds (default: both)",
    )
    without.add_argument(
        "--no-missing", dest="missing", action="store_const", const=[], help="remove no modality"
    )


def main() -> None:
    """Measure, and print the tables; wrong data or options end in one message."""
    args = parse_args()
    from mmcloudseg.benchmark.robustness import robustness
    from mmcloudseg.benchmark.robustness_points import RobustnessSettings
    from mmcloudseg.utils.errors import plain_text

    try:
        curve = robustness(
            args.config,
            args.checkpoint,
            out=args.out,
            settings=RobustnessSettings(args.covers, args.kinds, args.missing, args.seed),
            options=args.cfg_options,
            data_root=args.data_root,
        )
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"robustness: {plain_text(error)}")
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing was written")
    print(curve.to_markdown())


if __name__ == "__main__":
    main()

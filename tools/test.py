"""Test a checkpoint: scores of all, cloud-free and cloudy pixels, pictures and label maps."""

from __future__ import annotations

import argparse
import sys

from arguments import add_run_arguments, parse

EXAMPLES = """examples:
  python tools/test.py configs/cloudseg_mini.py work_dirs/cloudseg_mini/best.pth
  python tools/test.py configs/cloudseg_mini.py work_dirs/cloudseg_mini/best.pth \\
      --show-dir work_dirs/cloudseg_mini/pictures --out work_dirs/cloudseg_mini/test
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file; for a distillation, the student is tested")
    add("checkpoint", help="checkpoint file, such as best.pth")
    add_run_arguments(parser, "folder of logs (default: work_dirs/<config name>)")
    add("--show-dir", metavar="DIR", help="write a picture of each sample and overview.png")
    add(
        "--out",
        metavar="DIR",
        help="write scores.json, confusion.npz (a matrix for each sample), calibration.npz and a "
        "GeoTIFF label map of each sample",
    )
    return parse(parser)


def main() -> None:
    """Test. Errors in the data or options end in one line."""
    args = parse_args()
    from mmcloudseg.apis.test import test
    from mmcloudseg.engine.runs import RunSettings
    from mmcloudseg.utils.errors import plain_text

    try:
        run = RunSettings(
            work_dir=args.work_dir,
            data_root=args.data_root,
            options=args.cfg_options,
            launcher=args.launcher,
            overfit=args.overfit,
            check_values=not args.no_value_check,
        )
        test(args.config, args.checkpoint, run, show_dir=args.show_dir, out_dir=args.out)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"test: {plain_text(error)}")


if __name__ == "__main__":
    main()

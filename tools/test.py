"""Test a checkpoint: scores for all, cloud-free and cloudy pixels, pictures, label maps."""

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
    """The command line; MMEngine is imported only when there is something to parse for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file; of a distillation, the student is tested")
    add("checkpoint", help="checkpoint file, such as best.pth")
    add_run_arguments(parser, "logs (default: work_dirs/<config name>)")
    add("--show-dir", metavar="DIR", help="write a picture per sample and overview.png")
    add(
        "--out",
        metavar="DIR",
        help="write scores.json, confusion.npz (matrices by sample), calibration.npz and a "
        "GeoTIFF label map per sample",
    )
    return parse(parser)


def main() -> None:
    """Test; what is wrong with data or options ends in one clear line."""
    args = parse_args()
    from mmcloudseg.apis.test import test
    from mmcloudseg.engine.configs import parse_options
    from mmcloudseg.engine.runs import RunSettings
    from mmcloudseg.utils.errors import plain_text

    try:
        run = RunSettings(
            work_dir=args.work_dir,
            data_root=args.data_root,
            options=parse_options(args.cfg_options),
            launcher=args.launcher,
            overfit=args.overfit,
        )
        test(args.config, args.checkpoint, run, show_dir=args.show_dir, out_dir=args.out)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"test: {plain_text(error)}")


if __name__ == "__main__":
    main()

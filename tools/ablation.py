"""Train and test the ablation's four corners over several seeds, and print the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = """examples:
  python tools/ablation.py
  python tools/ablation.py --seeds 0 1 2 --jobs 2 --out docs/ablation_mini.md
What is finished is not run again: the same command goes on after a stop.
"""


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", choices=["mini", "m3mcr"], default="mini", help="data set (default: mini)")
    add("--data-root", metavar="DIR", help="where it lies (default: the configs' data_root)")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    add("--jobs", type=int, default=1, help="runs at a time, sharing the cores (default: 1)")
    add("--work-dir", default="work_dirs/ablation", help="default: work_dirs/ablation")
    add("--out", metavar="FILE", help="also write the table to this Markdown file")
    return parser.parse_args()


def main() -> None:
    """Run, and print the table."""
    args = parse_args()
    from mmcloudseg.apis.ablation import Ablation, format_ablation
    from mmcloudseg.apis.files import written_whole

    configs = Path(__file__).parents[1] / "configs"
    ablation = Ablation(configs, args.data, Path(args.work_dir), args.jobs, args.data_root)
    try:
        table = format_ablation(ablation.run(args.seeds))
    except RuntimeError as error:
        sys.exit(f"ablation: {error}")
    print(table)
    if args.out:
        with written_whole(args.out) as temporary:
            temporary.write_text(f"{table}\n")


if __name__ == "__main__":
    main()

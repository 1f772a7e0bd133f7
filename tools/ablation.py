"""Train and test a study's configs over several seeds, and print the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = """examples:
  python tools/ablation.py
  python tools/ablation.py --seeds 0 1 2 --jobs 2 --out table.md
  python tools/ablation.py --study clouds --data mini-whu --jobs 2
What is finished is not run again: the same command goes on after a stop.
"""


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--study",
        choices=["components", "clouds"],
        default="components",
        help="components: cloud removal, distillation, neither, both; clouds: trained on clear "
        "images or under simulated clouds, and tested under clouds (default: components)",
    )
    add(
        "--data",
        default="mini",
        metavar="SET",
        help="data set, as the configs' names end: mini, m3mcr, mini-whu, … (default: mini)",
    )
    add("--data-root", metavar="DIR", help="where it lies (default: the configs' data_root)")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    add("--jobs", type=int, default=1, help="runs at a time, sharing the cores (default: 1)")
    add("--work-dir", help="default: work_dirs/<study>_<data>")
    add("--out", metavar="FILE", help="also write the table to this Markdown file")
    return parser.parse_args()


def main() -> None:
    """Run, and print the table."""
    args = parse_args()
    from mmcloudseg.apis.ablation import STUDIES, Ablation, format_ablation
    from mmcloudseg.apis.files import written_whole

    configs = Path(__file__).parents[1] / "configs"
    work_dir = Path(args.work_dir or f"work_dirs/{args.study}_{args.data}")
    corners = STUDIES[args.study]
    missing = [f"{corner.config.format(data=args.data)}.py" for corner in corners]
    missing = [name for name in missing if not (configs / name).is_file()]
    if missing:
        sys.exit(f"ablation: there is no {', '.join(missing)} in {configs}; name another --data")
    ablation = Ablation(configs, args.data, work_dir, args.jobs, args.data_root, corners)
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

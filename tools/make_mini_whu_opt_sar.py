"""Makes a miniature WHU-OPT-SAR: procedural scenes in the layout of the published set."""

import argparse
import functools

from arguments import make_mini_set, mini_set_parser, natural_number

EXAMPLE = """example:
  python tools/make_mini_whu_opt_sar.py data/mini_whu-opt-sar_scenes
  python tools/make_mini_whu_opt_sar.py data/tiny --seed 1 --train 4 --test 2 --size 200 300
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = mini_set_parser(__doc__, EXAMPLE, "optical, sar, lbl and the lists")
    # Fewer scenes than these may lack a class.
    for split, count in (("train", 10), ("test", 4)):
        parser.add_argument(
            f"--{split}",
            type=natural_number,
            default=count,
            metavar="N",
            help=f"number of scenes for {split} (default {count})",
        )
    parser.add_argument(
        "--size",
        type=natural_number,
        nargs=2,
        default=(400, 600),
        metavar=("HEIGHT", "WIDTH"),
        help="pixels of a scene (default 400 600; the published scenes have 3704 5556)",
    )
    return parser.parse_args()


def main() -> None:
    """Make the data set and say what was made."""
    args = parse_args()
    from mmcloudseg.procedural import write_mini_whu

    counts = {"train": args.train, "test": args.test}
    listed = ", ".join(f"{count} {split}" for split, count in counts.items())
    make_mini_set(
        args,
        functools.partial(write_mini_whu, counts=counts, size=tuple(args.size)),
        f"{sum(counts.values())} scenes ({listed})",
        unit="scene",
    )


if __name__ == "__main__":
    main()

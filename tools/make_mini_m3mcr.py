"""Makes the mini data set: procedural scenes in the layout of M3M-CR."""

import argparse
import functools

from arguments import make_mini_set, mini_set_parser, natural_number

EXAMPLE = """example:
  python tools/make_mini_m3mcr.py data/mini_m3mcr
  python tools/make_mini_m3mcr.py data/tiny --seed 1 --train 6 --val 2 --test 2
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = mini_set_parser(__doc__, EXAMPLE, "train, val, test and their lists")
    # 78 samples of 1.67 MB: below 150 MB and a minute, and every 20 % of cloud cover has as many
    # validation and as many test samples as any other.
    for split, count in (("train", 48), ("val", 10), ("test", 20)):
        parser.add_argument(
            f"--{split}",
            type=natural_number,
            default=count,
            metavar="N",
            help=f"number of samples for {split} (default {count})",
        )
    return parser.parse_args()


def main() -> None:
    """Make the data set and say what was made."""
    args = parse_args()
    from mmcloudseg.procedural import write_mini_m3mcr

    counts = {"train": args.train, "val": args.val, "test": args.test}
    listed = ", ".join(f"{count} {split}" for split, count in counts.items())
    make_mini_set(
        args,
        functools.partial(write_mini_m3mcr, counts=counts),
        f"{sum(counts.values())} samples ({listed})",
        unit="sample",
    )


if __name__ == "__main__":
    main()

"""Makes the mini data set: procedural scenes in the layout of M3M-CR."""

import argparse
import functools
import sys
import time
from pathlib import Path

EXAMPLE = """example:
  python tools/make_mini_m3mcr.py data/mini_m3mcr
  python tools/make_mini_m3mcr.py data/tiny --seed 1 --train 6 --val 2 --test 2
"""


def natural_number(text: str) -> int:
    """Read a whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text}")
    return number


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument(
        "--seed", type=natural_number, default=0, help="same seed, same pixels (default 0)"
    )
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
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace train, val, test and their lists in a folder that this tool did not make",
    )
    return parser.parse_args()


def main() -> None:
    """Make the data set and say what was made."""
    args = parse_args()
    start = time.perf_counter()
    from tqdm import tqdm

    from mmcloudseg.datasets.simulation import write_mini_m3mcr

    counts = {"train": args.train, "val": args.val, "test": args.test}
    bar = functools.partial(tqdm, desc="making samples", unit="sample", dynamic_ncols=True)
    try:
        size = write_mini_m3mcr(args.out, counts, args.seed, args.force, bar)
    except OSError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped: nothing was written to {args.out}")
    listed = ", ".join(f"{count} {split}" for split, count in counts.items())
    print(
        f"{args.out}: {sum(counts.values())} samples ({listed}), {size / 1e6:.1f} MB, "
        f"made in {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()

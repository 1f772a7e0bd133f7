"""Cut WHU-OPT-SAR into tiles, split them by scene, and put clouds on those that are scored.

The whole published set is checked before anything is written. To resume an interrupted run, run
the same command again.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

CONFIG = "configs/cloudseg_whu-opt-sar.py"
EXAMPLE = """examples:
  python tools/dataset_converters/whu_opt_sar.py /data/WHU-OPT-SAR data/whu-opt-sar
  python tools/dataset_converters/whu_opt_sar.py /data/WHU-OPT-SAR data/whu-opt-sar \\
      --tile-size 512 256 --freeze-train
  python tools/dataset_converters/whu_opt_sar.py /data/WHU-OPT-SAR --check-only
"""
STEP = 32


def tile_size(text: str) -> int:
    """Read the side of a tile: networks take multiples of 32."""
    size = int(text)
    if size < STEP or size % STEP:
        raise argparse.ArgumentTypeError(f"expected a multiple of {STEP} above 0, found {text}")
    return size


def fraction(text: str) -> float:
    """Read a share above 0 and below 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a share above 0 and below 1, found {text}")
    return value


def number(text: str, lowest: int = 0) -> int:
    """Read a whole number from a lowest one."""
    value = int(text)
    if value < lowest:
        raise argparse.ArgumentTypeError(f"expected a whole number from {lowest}, found {text}")
    return value


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("root", metavar="ROOT", type=Path, help="published set: optical/, sar/, lbl/, two lists")
    add("out", metavar="OUT", type=Path, nargs="?", help="folder to write to: OUT/512, …")
    add(
        "--tile-size",
        metavar="N",
        type=tile_size,
        nargs="+",
        default=[512],
        help="rows and columns of a tile; each of several sizes gets a folder (default 512)",
    )
    add("--seed", metavar="N", type=number, default=0, help="seed of the clouds (default 0)")
    add(
        "--val-fraction",
        metavar="X",
        type=fraction,
        default=0.1,
        help="share of the training scenes to validate on, by whole map sheets (default 0.1)",
    )
    add("--freeze-train", action="store_true", help="put clouds on training tiles too")
    add("--subset", action="store_true", help="take a part of the set, or scenes of other sizes")
    add(
        "--jobs",
        metavar="N",
        type=functools.partial(number, lowest=1),
        help="number of processes (default: one per core, at most 4)",
    )
    add("--check-only", action="store_true", help="check the published set and write nothing")
    args = parser.parse_args()
    if args.out is None and not args.check_only:
        parser.error("OUT is missing (it can be left out with --check-only only)")
    return args


def run(args: argparse.Namespace) -> None:
    """Check or convert, and say what was found or made."""
    from mmcloudseg.datasets.conversion import ConversionSettings, check, convert

    settings = ConversionSettings(
        tile_sizes=tuple(dict.fromkeys(args.tile_size)),
        seed=args.seed,
        val_fraction=args.val_fraction,
        freeze_train=args.freeze_train,
        subset=args.subset,
        jobs=args.jobs,
        progress=True,
    )
    if args.check_only:
        tree = check(args.root, settings)
        scenes = ", ".join(f"{split} {len(names)}" for split, names in tree.names().items())
        print(f"{args.root}: no problems found; scenes: {scenes}")
        return
    made = convert(args.root, args.out, settings)
    for folder in made.folders:
        print(folder.summary())
    if made.left_out:
        print(f"left out: {len(made.left_out)} listed scenes that are not in {args.root}")
    if not made.worked:
        print("All tiles exist already: nothing was done.")
    print(f"next: python tools/train.py {CONFIG} --data-root {made.folders[0].path}")


def main() -> None:
    """Run, and report every failure in one message."""
    args = parse_args()
    try:
        run(args)
    except OSError as error:
        sys.exit(f"whu_opt_sar: {error}; run the same command again to resume")
    except ValueError as error:
        sys.exit(f"whu_opt_sar: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: run the same command again to resume")


if __name__ == "__main__":
    main()

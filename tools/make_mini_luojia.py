"""Makes a miniature LuojiaSET-OSFCR: procedural patches in the layout of the published set."""

import argparse
import functools

from arguments import make_mini_set, mini_set_parser, natural_number

EXAMPLE = """example:
  python tools/make_mini_luojia.py data/mini_luojia-osfcr
  python tools/make_mini_luojia.py data/tiny --seed 1 --rois 3 --patches 2
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = mini_set_parser(__doc__, EXAMPLE, "the five folders of cloud cover")
    parser.add_argument(
        "--rois",
        type=natural_number,
        default=12,
        metavar="N",
        help="number of regions of interest, which splits keep whole (default 12)",
    )
    parser.add_argument(
        "--patches",
        type=natural_number,
        default=6,
        metavar="N",
        help="number of patches in each; the first is in two folders (default 6)",
    )
    return parser.parse_args()


def main() -> None:
    """Make the data set and say what was made."""
    args = parse_args()
    from mmcloudseg.procedural import write_mini_luojia

    make_mini_set(
        args,
        functools.partial(write_mini_luojia, rois=args.rois, patches_per_roi=args.patches),
        f"{args.rois * args.patches} patches of {args.rois} regions",
        unit="patch",
    )


if __name__ == "__main__":
    main()

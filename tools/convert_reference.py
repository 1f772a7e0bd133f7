"""Convert a checkpoint of CloudSeg's reference implementation to one of mmcloudseg."""

from __future__ import annotations

import argparse
import sys


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python tools/convert_reference.py student.pth cloudseg_b4.pth && "
        "python tools/test.py configs/cloudseg_m3mcr.py cloudseg_b4.pth",
    )
    parser.add_argument("source", metavar="IN", help="reference checkpoint, {'network': …}")
    parser.add_argument(
        "target", metavar="OUT", help="checkpoint to write, which MMSegmentation's tools load"
    )
    parser.add_argument(
        "--role",
        choices=["student", "teacher"],
        help="refuse a checkpoint of the other role (default: the role that its keys show)",
    )
    return parser.parse_args()


def main() -> None:
    """Convert, and say what came out."""
    args = parse_args()
    from mmcloudseg.engine.reference_checkpoint import convert_file

    try:
        role = convert_file(args.source, args.target, args.role)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"convert_reference: {error}")
    print(f"{args.target}: a {role}, converted from {args.source}")


if __name__ == "__main__":
    main()

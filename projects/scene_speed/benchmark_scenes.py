"""Measure the memory and speed of scene inference by scene size, and look for seams."""

from __future__ import annotations

import argparse
import sys

EXAMPLES = """examples:
  python projects/scene_speed/benchmark_scenes.py configs/cloudseg_mini.py \\
      work_dirs/cloudseg_mini/best.pth
  python projects/scene_speed/benchmark_scenes.py configs/cloudseg_mini.py \\
      work_dirs/cloudseg_mini/best.pth --sizes 2000 5000 10000 --out docs/benchmark_scenes.md

The scenes are procedural, in the style of the mini set. Each is mapped in a process of its own.
Seams are measured in a scene of 1200 x 1200 pixels, which is mapped on the optical grid with and
without an overlap of the tiles.
"""


def size(text: str) -> tuple[int, int]:
    """Read rows and columns: ``2000``, or ``1000x20000``."""
    rows, _, columns = text.partition("x")
    try:
        return int(rows), int(columns or rows)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected 2000 or 1000x20000, found {text}") from None


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file; its model takes 4 optical and 2 SAR bands, as in M3M-CR")
    add("checkpoint", help="checkpoint file; seams are only meaningful for a trained model")
    add(
        "--sizes",
        nargs="+",
        type=size,
        default=[(2000, 2000), (5000, 5000)],
        metavar="PIXELS",
        help="sizes of the scenes, as 2000 or 1000x20000 (default: 2000 5000)",
    )
    add("--batch-size", type=int, default=8, help="tiles per forward pass (default: 8)")
    add("--no-seams", action="store_true", help="do not look for seams")
    add("--out", metavar="FILE.md", help="also write a page with the table to this file")
    return parser.parse_args()


def main() -> None:
    """Measure, and print the table."""
    args = parse_args()
    from scene_speed.measure import benchmark_scenes

    try:
        print(
            benchmark_scenes(
                args.config,
                args.checkpoint,
                args.sizes,
                batch_size=args.batch_size,
                seams=not args.no_seams,
                out=args.out,
            )
        )
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"benchmark_scenes: {error}")


if __name__ == "__main__":
    main()

"""Make a scene to try predict_scene.py on: a cloudy optical raster, SAR, and the truth."""

from __future__ import annotations

import argparse
import sys

from arguments import natural_number

EXAMPLE = """example:
  python tools/make_mini_scene.py data/mini_scene --size 1200

optical.tif (4 bands, 3 m), sar.tif (VV and VH in dB, 10 m), cloud_free.tif and land_cover.tif
(WorldCover codes, 10 m), in the mini M3M-CR's style. 1200 x 1200 pixels take a minute.
"""


def main() -> None:
    """Make the scene."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("out", metavar="OUT", help="folder to write")
    add(
        "--size",
        type=natural_number,
        default=600,
        help="rows and columns in optical pixels (default: 600)",
    )
    add(
        "--seed",
        type=natural_number,
        default=0,
        help="seed of the scene; the same seed gives the same pixels (default: 0)",
    )
    add(
        "--cloud-cover",
        type=float,
        default=0.4,
        help="fraction of cloudy pixels, 0 to 1 (default: 0.4)",
    )
    args = parser.parse_args()
    from mmcloudseg.procedural.mini_scene import draw_scene, write_scene

    try:
        files = write_scene(args.out, draw_scene(args.size, args.seed, args.cloud_cover))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"{args.out}: {', '.join(path.name for path in files.values())}")


if __name__ == "__main__":
    main()

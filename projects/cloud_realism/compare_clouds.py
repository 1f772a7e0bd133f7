"""Compare real clouds with simulated ones over the same clear images, at the same cover."""

from __future__ import annotations

import argparse
import functools
import sys

EXAMPLE = """examples:
  python projects/cloud_realism/compare_clouds.py data/m3mcr --out clouds
  python projects/cloud_realism/compare_clouds.py data/m3mcr --kinds all --draws 50 --real-masks
  python projects/cloud_realism/compare_clouds.py --config configs/cloudseg_m3mcr.py \\
      --data-root data/m3mcr
"""


def positive(text: str) -> int:
    """Read a whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return number


def positive_float(text: str) -> float:
    """Read a number above 0."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__} Writes clouds.json (all numbers), clouds.md (a table) and "
        "clouds.png.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("folder", nargs="?", metavar="FOLDER", help="data in M3M-CR's layout")
    source.add_argument("--config", help="use the test set of a config instead")
    add("--data-root", metavar="DIR", help="root of the config's data")
    add("--out", metavar="DIR", default="work_dirs/clouds", help="(default: %(default)s)")
    add(
        "--samples",
        type=positive,
        default=30,
        help="largest number of samples, evenly spaced (default: %(default)s)",
    )
    add_simulation(parser)
    add_sensor(parser)
    return parser.parse_args()


def add_simulation(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which clouds are drawn."""
    add = parser.add_argument
    add(
        "--kinds",
        nargs="+",
        metavar="KIND",
        default=["default"],
        help="kinds of clouds to draw, one column of the table each; 'default' is the mix of the "
        "simulation itself, 'all' is that mix and each kind (default: default)",
    )
    add("--draws", type=positive, default=20, help="draws per kind and image (default: 20)")
    add("--seed", type=int, default=0, help="seed of the first draw (default: %(default)s)")
    add("--real-masks", action="store_true", help="also draw clouds in the shapes of real masks")


def add_sensor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that describe the images."""
    add = parser.add_argument
    add(
        "--gsd",
        type=positive_float,
        metavar="METRES",
        help="side of a pixel (default: that of the files)",
    )
    add(
        "--wavelengths",
        type=positive_float,
        nargs="+",
        metavar="UM",
        help="centre of each band in micrometres (default: by the names of the bands)",
    )
    add(
        "--scale",
        type=positive_float,
        default=10_000,
        help="image value of a reflectance of 1 (default: %(default)s)",
    )
    add(
        "--white",
        type=positive_float,
        nargs="+",
        metavar="VALUE",
        help="image value of an opaque cloud, for all bands or for each (default: by wavelength)",
    )


def main() -> None:
    """Compare, and print the table."""
    args = parse_args()
    from tqdm import tqdm

    from cloud_realism.compare import compare_clouds
    from cloud_realism.comparison import comparison_table
    from cloud_realism.pairs import config_datasets, folder_datasets
    from cloud_realism.simulation import DEFAULT_MIX, ComparisonSettings
    from mmcloudseg.clouds import CLOUD_KINDS

    kinds = [DEFAULT_MIX, *CLOUD_KINDS] if "all" in args.kinds else args.kinds
    bar = functools.partial(tqdm, desc="measuring clouds", unit="image", dynamic_ncols=True)
    try:
        settings = ComparisonSettings(
            kinds=kinds,
            draws=args.draws,
            seed=args.seed,
            real_masks=args.real_masks,
            max_samples=args.samples,
            gsd_m=args.gsd,
            wavelengths_um=args.wavelengths,
            scale=args.scale,
            white=args.white,
        )
        if args.config:
            datasets = config_datasets(args.config, args.data_root)
        else:
            datasets = folder_datasets(args.folder)
        summary = compare_clouds(datasets, args.out, settings, bar)
    except (OSError, ValueError) as error:
        sys.exit(f"compare_clouds: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted: nothing was written to {args.out}")
    print(comparison_table(summary))
    print(f"{args.out}: clouds.json, clouds.md, clouds.png")


if __name__ == "__main__":
    main()

"""Map land cover of whole scenes: an optical and a SAR raster of any size to a GeoTIFF."""

from __future__ import annotations

import argparse
import sys

EXAMPLES = """examples:
  python tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth \\
      --optical optical.tif --sar sar.tif --out map.tif --confidence --quicklook
  python tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth --list pairs.csv --resume
  torchrun --nproc-per-node 4 tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth \\
      --list pairs.csv

The map is a cloud-optimised GeoTIFF in the optical image's reference system, with colours and
class names. SAR may have another grid. pairs.csv has the columns optical, sar and out; relative
paths in it are relative to its folder. A run that was stopped goes on with --resume.
"""


def parse_args() -> argparse.Namespace:
    """The command line; MMEngine is imported only when there is something to parse for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file; of a distillation, the student maps")
    add("checkpoint", help="checkpoint file, such as best.pth")
    add("--optical", metavar="FILE", help="optical raster, also /vsicurl/…, /vsis3/…, https://…")
    add("--sar", metavar="FILE", help="SAR raster; without one the model takes it as missing")
    add("--out", metavar="MAP.tif", help="the map; what else is asked for lies beside it")
    add("--list", metavar="PAIRS.csv", help="many pairs: columns optical, sar, out")
    beside = parser.add_argument_group("beside the map")
    beside.add_argument(
        "--cloud-free",
        action="store_true",
        help="MAP_cloud_free.tif: the reconstruction, uint16, in the optical image's unit",
    )
    beside.add_argument(
        "--confidence", action="store_true", help="MAP_confidence.tif: uint8, percent"
    )
    beside.add_argument(
        "--probabilities",
        action="store_true",
        help="MAP_probabilities.tif: a band per class, uint16, in ten thousandths",
    )
    beside.add_argument(
        "--quicklook", action="store_true", help="MAP.png: input, map and legend in one picture"
    )
    _add_input_arguments(parser.add_argument_group("how the rasters are read"))
    _add_run_arguments(parser.add_argument_group("how it is run"))
    args = parser.parse_args()
    one = args.optical is not None and args.out is not None
    if one == (args.list is not None) or (args.list and (args.optical or args.sar or args.out)):
        parser.error("give either --optical, --sar and --out, or --list")
    return args


def _add_input_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--resolution",
        choices=["label", "optical"],
        default="label",
        help="the map's pixels: those of the labels that the model was trained on (default), or "
        "the optical image's",
    )
    add("--optical-bands", type=band_list, metavar="1,2,…", help="in the model's order")
    add("--sar-bands", type=band_list, metavar="1,2,…", help="in the model's order")
    add("--nodata", type=float, help="of the optical raster, in place of the declared one")
    add("--sar-nodata", type=float, help="of the SAR raster, in place of the declared one")
    add(
        "--sar-resampling",
        choices=["nearest", "bilinear", "cubic", "average"],
        default="nearest",
        help="how SAR comes to the optical grid (default: nearest, as in training; average for "
        "SAR that is finer than the optical raster)",
    )
    add(
        "--no-value-check",
        action="store_true",
        help="map rasters whose values look like another unit than the model's",
    )


def _add_run_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--tile-size",
        type=int,
        metavar="PIXELS",
        help="optical pixels (default: the windows by which the config tests, else 512)",
    )
    add("--overlap", type=int, metavar="PIXELS", help="that neighbouring tiles share")
    add("--batch-size", type=int, default=8, help="tiles per forward pass (default 8)")
    add("--device", help="cpu, cuda, cuda:1, … (default: a GPU if there is one)")
    add("--amp", action="store_true", help="half precision")
    add("--resume", action="store_true", help="go on from what a stopped run has finished")
    add("--overwrite", action="store_true", help="replace files that are there")
    add(
        "--cfg-options",
        nargs="+",
        metavar="KEY=VALUE",
        default=[],
        help="change the (student's) config",
    )


def band_list(text: str) -> list[int]:
    """Read band numbers."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers as in 1,2,3, found {text}") from None


def main() -> None:
    """Map; what is wrong with rasters or options ends in one clear line."""
    args = parse_args()
    settings = dict(
        cloud_free=args.cloud_free,
        confidence=args.confidence,
        probabilities=args.probabilities,
        quicklook=args.quicklook,
        resolution=args.resolution,
        tile_size=args.tile_size,
        overlap=args.overlap,
        batch_size=args.batch_size,
        optical_bands=args.optical_bands,
        sar_bands=args.sar_bands,
        nodata=args.nodata,
        sar_nodata=args.sar_nodata,
        sar_resampling=args.sar_resampling,
        check_values=not args.no_value_check,
    )
    try:
        from mmcloudseg.engine.configs import parse_options
        from mmcloudseg.scenes.lists import ScenePair, predict_list, read_pairs

        pairs = (
            read_pairs(args.list) if args.list else [ScenePair(args.optical, args.sar, args.out)]
        )
        predict_list(
            args.config,
            args.checkpoint,
            pairs,
            device=args.device,
            options=parse_options(args.cfg_options),
            amp=args.amp,
            resume=args.resume,
            overwrite=args.overwrite,
            **settings,
        )
    except (OSError, ValueError) as error:
        sys.exit(f"predict_scene: {error}")
    except KeyboardInterrupt:
        sys.exit("predict_scene: stopped; the same command with --resume goes on")


if __name__ == "__main__":
    main()

"""Map land cover of whole scenes: an optical and a SAR raster of any size to a GeoTIFF."""

from __future__ import annotations

import argparse
import sys

from arguments import add_cfg_options

EXAMPLES = """examples:
  python tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth \\
      --optical optical.tif --sar sar.tif --out map.tif --confidence --quicklook
  python tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth --list pairs.csv --resume
  torchrun --nproc-per-node 4 tools/predict_scene.py configs/cloudseg_m3mcr.py best.pth \\
      --list pairs.csv

The map is a cloud-optimised GeoTIFF in the optical image's reference system, with colours and
class names. The SAR image may be on another grid. pairs.csv has the columns optical, sar and out;
its relative paths are relative to its folder. --resume resumes an interrupted run.
"""


def parse_args() -> argparse.Namespace:
    """Parse the command line; MMEngine is imported only after it is valid."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file; of a distillation, the student's model is used")
    add("checkpoint", help="checkpoint file, such as best.pth")
    add("--optical", metavar="FILE", help="optical raster; /vsicurl/…, /vsis3/…, https://… too")
    add("--sar", metavar="FILE", help="SAR raster; without it the model treats SAR as missing")
    add("--out", metavar="MAP.tif", help="the map; optional files are written next to it")
    add("--list", metavar="PAIRS.csv", help="many scenes: a file with columns optical, sar, out")
    add = parser.add_argument_group("optional files").add_argument
    add(
        "--cloud-free",
        action="store_true",
        help="MAP_cloud_free.tif: the reconstruction, uint16, in the optical image's unit",
    )
    add("--confidence", action="store_true", help="MAP_confidence.tif: uint8, percent")
    add(
        "--probabilities",
        action="store_true",
        help="MAP_probabilities.tif: a band for each class, uint16, in ten thousandths",
    )
    add("--quicklook", action="store_true", help="MAP.png: a picture of input, map and legend")
    _add_input_arguments(parser.add_argument_group("input options"))
    _add_run_arguments(parser.add_argument_group("run options"))
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
        help="pixel size of the map: that of the labels the model was trained on (default), or "
        "that of the optical raster",
    )
    add(
        "--optical-bands",
        type=band_list,
        metavar="1,2,…",
        help="bands of the optical raster, in the model's order",
    )
    add(
        "--sar-bands",
        type=band_list,
        metavar="1,2,…",
        help="bands of the SAR raster, in the model's order",
    )
    add("--nodata", type=float, help="nodata value of the optical raster (default: as declared)")
    add("--sar-nodata", type=float, help="nodata value of the SAR raster (default: as declared)")
    add(
        "--sar-resampling",
        choices=["nearest", "bilinear", "cubic", "average"],
        default="nearest",
        help="how SAR is resampled to the optical grid (default: nearest, as in training; use "
        "average if SAR is finer than the optical raster)",
    )
    add(
        "--optical-unit",
        choices=["reflectance", "percent", "reflectance_x10000"],
        help="unit of the optical raster, if it is not that of the training images",
    )
    add(
        "--sar-unit",
        choices=["db", "db_x100", "linear", "amplitude"],
        help="unit of the SAR raster, which is converted to dB (default: as in training)",
    )
    add(
        "--scale",
        type=float,
        help="factor of the optical raster's numbers (default: its GDAL tags, or as in training)",
    )
    add(
        "--offset",
        type=float,
        help="number added after --scale, such as -1000 for Sentinel-2 since baseline 04.00",
    )
    add(
        "--no-value-check",
        action="store_true",
        help="accept rasters whose values seem to be in another unit than the model's",
    )


def _add_run_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--tile-size",
        type=int,
        metavar="PIXELS",
        help="tile size in optical pixels (default: the windows of the config's test, else 512)",
    )
    add("--overlap", type=int, metavar="PIXELS", help="pixels that neighbouring tiles share")
    add("--batch-size", type=int, default=8, help="tiles per forward pass (default: 8)")
    add("--device", help="cpu, cuda, cuda:1, … (default: a GPU if there is one)")
    add("--amp", action="store_true", help="use mixed precision")
    add("--resume", action="store_true", help="resume an interrupted run")
    add("--overwrite", action="store_true", help="replace existing files")
    add_cfg_options(add, "; for a distillation, use the keys of the student")


def band_list(text: str) -> list[int]:
    """Parse band numbers."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers such as 1,2,3, found {text}") from None


def main() -> None:
    """Map the scenes; problems with rasters or options end in one line."""
    args = parse_args()
    try:
        from mmcloudseg.apis import ScenePredictor
        from mmcloudseg.scenes.lists import ScenePair, read_pairs
        from mmcloudseg.scenes.settings import SceneSettings

        settings = SceneSettings(
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
            optical_unit=args.optical_unit,
            sar_unit=args.sar_unit,
            scale=args.scale,
            offset=args.offset,
            check_values=not args.no_value_check,
        )
        one = ScenePair(args.optical, args.sar, args.out)
        pairs = read_pairs(args.list) if args.list else [one]
        predictor = ScenePredictor(
            args.config, args.checkpoint, args.device, args.cfg_options, args.amp
        )
        predictor.predict_list(pairs, settings, resume=args.resume, overwrite=args.overwrite)
    except (OSError, ValueError) as error:
        sys.exit(f"predict_scene: {error}")
    except KeyboardInterrupt:
        sys.exit("predict_scene: interrupted; run the same command with --resume to resume")


if __name__ == "__main__":
    main()

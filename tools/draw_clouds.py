"""Draw each kind of simulated cloud at several covers, over a procedural scene or an image."""

from __future__ import annotations

import argparse
import sys

EXAMPLE = """examples:
  python tools/draw_clouds.py clouds.jpg
  python tools/draw_clouds.py clouds.png --image scene.tif --rgb 1 2 3 --gsd 5 --scale 400 \\
      --wavelengths 0.66 0.555 0.485 0.83
"""
SCENE = 3  # of the mini set's test scenes: fields, a river and a village


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("out", metavar="OUT", help="picture to write (.png or .jpg)")
    add("--image", metavar="FILE", help="clear optical raster (default: a procedural scene)")
    add(
        "--rgb",
        type=int,
        nargs=3,
        default=[3, 2, 1],
        help="numbers of its red, green and blue band, from 1 (default: 3 2 1)",
    )
    add(
        "--gsd",
        type=float,
        default=3.0,
        metavar="M",
        help="side of its pixels in metres (default: 3)",
    )
    add(
        "--scale", type=float, default=10_000.0, help="its value of reflectance 1 (default: 10000)"
    )
    add(
        "--wavelengths",
        type=float,
        nargs="+",
        metavar="UM",
        help="centres of its bands in micrometres (default: those of PlanetScope)",
    )
    add(
        "--covers",
        type=float,
        nargs="+",
        default=[0.2, 0.5, 0.8],
        help="cloud covers from 0 to 1 (default: 0.2 0.5 0.8)",
    )
    add("--kinds", nargs="+", metavar="KIND", help="kinds of clouds to draw (default: all)")
    add("--seed", type=int, default=0, help="seed of the clouds (default: 0)")
    return parser.parse_args()


def main() -> None:
    """Draw, write, and say where."""
    args = parse_args()
    import cv2

    from mmcloudseg.clouds import CLOUD_KINDS, CloudSettings
    from mmcloudseg.procedural import draw_sample
    from mmcloudseg.rasters.reading import open_raster, raster_session
    from mmcloudseg.rasters.sensors import PLANETSCOPE_UM
    from mmcloudseg.utils.files import atomic_write
    from mmcloudseg.visualization.cloud_gallery import draw_cloud_gallery

    try:
        if args.image:
            with raster_session(), open_raster(args.image) as source:
                clear = source.read()
        else:
            clear = draw_sample(0, "test", SCENE).cloud_free
        if max(args.rgb) > len(clear) or min(args.rgb) < 1:
            raise ValueError(f"--rgb {args.rgb}: the image has bands 1 to {len(clear)}")
        picture = draw_cloud_gallery(
            clear,
            [band - 1 for band in args.rgb],
            CloudSettings(args.gsd, args.wavelengths or PLANETSCOPE_UM, scale=args.scale),
            args.covers,
            args.kinds or tuple(CLOUD_KINDS),
            seed=args.seed,
        )
        suffix = "." + args.out.rsplit(".", 1)[-1]
        if suffix not in (".png", ".jpg"):
            raise ValueError(f"{args.out}: expected a name that ends in .png or .jpg")
        with atomic_write(args.out) as temporary:
            _, data = cv2.imencode(suffix, picture[..., ::-1])
            temporary.write_bytes(data.tobytes())
    except (ValueError, OSError) as error:
        sys.exit(f"draw_clouds: {error}")
    print(args.out)


if __name__ == "__main__":
    main()

"""Time the cloud simulation on one core, and two ways to draw its field."""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial

EXAMPLE = """example:
  python tools/benchmark_clouds.py --size 256 512 --bands 4 13
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__} Prints medians as a Markdown table.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--size",
        type=int,
        nargs="+",
        default=[256, 512, 1024],
        help="sides in pixels",
    )
    add("--bands", type=int, nargs="+", default=[4, 13], help="numbers of bands (default: 4 13)")
    add(
        "--repeats",
        type=int,
        default=20,
        help="repeats, shown by median (default: 20)",
    )
    return parser.parse_args()


def median_ms(call: Callable[[], object], repeats: int) -> float:
    """Measure the median processor time of a call in milliseconds, after one call to warm up."""
    times = []
    call()
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def main() -> None:
    """Measure, and print the tables."""
    args = parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np
    import scipy

    from mmcloudseg.clouds import CLOUD_KINDS, CloudSettings, octave_noise, simulate_clouds
    from mmcloudseg.procedural import fractal_noise
    from mmcloudseg.utils.text import markdown_table

    rows: list[list[object]] = []
    for size, bands, kind in itertools.product(args.size, args.bands, CLOUD_KINDS):
        image = np.full((bands, size, size), 1000, np.uint16)
        centres_um = np.linspace(0.45, 2.2, bands)
        settings = CloudSettings(5.0, centres_um.tolist(), cover=0.5, kind=kind)
        call = partial(simulate_clouds, image, settings, name="a")
        ms = median_ms(call, args.repeats)
        rows.append([kind, size, bands, f"{ms:.2f}", f"{image.size / ms / 1000:.0f}"])
    columns = ["kind", "size", "bands", "ms", "megapixel-bands per second"]
    print(markdown_table(columns, rows))
    rng = np.random.Generator(np.random.PCG64(0))
    rows = []
    for size in args.size:
        times = (
            median_ms(partial(draw, rng, (size, size), 60), args.repeats)
            for draw in (octave_noise, fractal_noise)
        )
        rows.append([size, *(f"{ms:.2f}" for ms in times)])
    columns = ["size", "field by octaves, ms", "field by Fourier transform, ms"]
    print(f"\n{markdown_table(columns, rows)}")
    print(
        f"\nOne core of {platform.processor() or platform.machine()}, Python "
        f"{platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}."
    )


if __name__ == "__main__":
    main()

"""Time the cloud simulation on one core, beside drawing the same field by Fourier transform."""

from __future__ import annotations

import argparse
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
    add("--size", type=int, nargs="+", default=[256, 512, 1024], help="default: 256 512 1024")
    add("--bands", type=int, nargs="+", default=[4, 13], help="default: 4 13")
    add("--repeats", type=int, default=20, help="of each; the median counts (default: 20)")
    return parser.parse_args()


def median_ms(call: Callable[[], object], repeats: int) -> float:
    """Median of the process's own time after one call to warm up, in milliseconds."""
    times = []
    call()
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    args = parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np
    import scipy

    from mmcloudseg.clouds import CLOUD_KINDS, CloudSettings, octave_noise, simulate_clouds
    from mmcloudseg.procedural import fractal_noise

    print("| size | bands | kind | ms | megapixel-bands per second |")
    print("| ---: | ---: | :--- | ---: | ---: |")
    for size in args.size:
        for bands in args.bands:
            image = np.full((bands, size, size), 1000, np.uint16)
            wavelengths_um = np.linspace(0.45, 2.2, bands)
            for kind in CLOUD_KINDS:
                settings = CloudSettings(5.0, wavelengths_um, cover=0.5, kind=kind)
                call = partial(simulate_clouds, image, settings, name="a")
                ms = median_ms(call, args.repeats)
                print(f"| {size} | {bands} | {kind} | {ms:.2f} | {image.size / ms / 1000:.0f} |")
    print("\n| size | field by octaves, ms | field by Fourier transform, ms |")
    print("| ---: | ---: | ---: |")
    rng = np.random.Generator(np.random.PCG64(0))
    for size in args.size:
        by_octaves = median_ms(lambda: octave_noise(rng, (size, size), 60), args.repeats)  # noqa: B023
        by_fourier = median_ms(lambda: fractal_noise(rng, (size, size), 60), args.repeats)  # noqa: B023
        print(f"| {size} | {by_octaves:.2f} | {by_fourier:.2f} |")
    print(
        f"\nOne core of {platform.processor() or platform.machine()}, Python "
        f"{platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}."
    )


if __name__ == "__main__":
    main()

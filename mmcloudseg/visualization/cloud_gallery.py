"""Each kind of simulated cloud at several covers, over one clear image."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmcloudseg.clouds import CLOUD_KINDS, CloudSettings, simulate_clouds
from mmcloudseg.visualization.colours import Stretch
from mmcloudseg.visualization.figure import PanelRow, draw_rows


def draw_cloud_gallery(
    clear: np.ndarray,
    rgb: Sequence[int],
    settings: CloudSettings,
    covers: Sequence[float] = (0.2, 0.5, 0.8),
    kinds: Sequence[str] = tuple(CLOUD_KINDS),
    seed: int = 0,
) -> np.ndarray:
    """Draw a row for each cover and a column for each kind, H x W x 3 uint8.

    Args:
        clear: Bands x H x W.
        rgb: Indices of the red, green and blue band.
        settings: The sensor; cover and kind are those of each panel.
        covers: Shares of cloudy pixels, 0 to 1.
        kinds: Names of kinds.
        seed: Seed of the clouds.
    """
    bands = list(rgb)
    stretch = Stretch.of(clear[bands].astype(float))
    rows = []
    for cover in covers:
        panels = {"clear": stretch.apply(clear[bands].astype(float))}
        for kind in kinds:
            clouds = replace(settings, cover=cover, kind=kind)
            made = simulate_clouds(clear, clouds, name=f"gallery {kind} {cover}", seed=seed)
            panels[kind] = stretch.apply(made.image[bands].astype(float))
        rows.append(PanelRow(f"{cover:.0%} of the image", panels))
    return draw_rows(rows, (), (), 60)

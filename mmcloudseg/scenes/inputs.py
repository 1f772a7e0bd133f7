"""A scene's two rasters, opened and checked against what a model sees."""

from __future__ import annotations

import contextlib

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.scene_raster import SceneRaster, open_scene_raster
from mmcloudseg.scenes.checks import check_values, sar_cover
from mmcloudseg.scenes.network import SceneModel
from mmcloudseg.scenes.settings import SceneSettings


def open_pair(
    stack: contextlib.ExitStack,
    optical: str,
    sar: str | None,
    about: SceneModel,
    settings: SceneSettings,
) -> tuple[SceneRaster, SceneRaster | None]:
    """Open the optical image, and SAR on its grid.

    Args:
        stack: Closes them.
        optical: File, or what GDAL opens.
        sar: The same; None if there is none.
        about: What the model sees.
        settings: Which bands, nodata and resampling.

    Raises:
        DataError: One of them cannot be used, or they show different ground.
    """
    first = stack.enter_context(
        open_scene_raster(
            optical,
            settings.optical_bands or about.bands.get("optical"),
            about.counts.get("optical"),
            "optical",
            settings.nodata,
        )
    )
    second = None
    if sar is not None:
        grid = RasterGrid.of(first.source)
        sar_cover(grid, sar)
        second = stack.enter_context(
            open_scene_raster(
                sar,
                settings.sar_bands or about.bands.get("sar"),
                about.counts["sar"],
                "SAR",
                settings.sar_nodata,
                grid,
                settings.sar_resampling,
            )
        )
    if settings.check_values:
        for name, raster, what in (("sar", second, "SAR"), ("optical", first, "optical")):
            if raster is not None and name in about.low:
                check_values(raster, about.low[name], about.high[name], what)
    return first, second

"""A procedural place as PlanetScope sees it, clear and under clouds."""

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.clouds.drawing import draw_clouds
from mmcloudseg.clouds.kinds import KIND_ODDS, choose_kind
from mmcloudseg.clouds.rendering import add_clouds, cloud_reflectance
from mmcloudseg.procedural.landscape import Landscape
from mmcloudseg.procedural.noise import Field
from mmcloudseg.procedural.spectra import render_reflectance, to_counts
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

_SCALE = 10_000


def draw_planetscope_view(
    texture: np.random.Generator,
    sky: np.random.Generator,
    place: Landscape,
    materials: NDArray[np.uint8],
    cloud_cover: float,
    sun_azimuth_deg: float,
    gains: Field | None = None,
) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]:
    """Draw a place with and without clouds.

    Args:
        texture: Source of the ground's randomness.
        sky: Source of the clouds' randomness.
        place: The place.
        materials: H x W material numbers of the place.
        cloud_cover: Share of cloudy pixels, 0 to 1.
        sun_azimuth_deg: Direction of the sun, clockwise from north.
        gains: Factor of each band; 1 by default.

    Returns:
        The clear and the cloudy image, 4 x H x W reflectance x 10 000 (blue, green, red, NIR), and
        the cloud mask, H x W, true = cloud.
    """
    reflectance = render_reflectance(texture, place, materials, PLANETSCOPE_UM, gains)
    clear = to_counts(reflectance * _SCALE)
    kind = choose_kind(sky, KIND_ODDS)
    clouds = draw_clouds(sky, materials.shape, place.gsd_m, cloud_cover, kind, sun_azimuth_deg)
    white = cloud_reflectance(PLANETSCOPE_UM) * _SCALE
    cloudy = to_counts(add_clouds(clear, clouds, PLANETSCOPE_UM, white))
    return clear, cloudy, clouds.mask

"""Cloud cover of a mask."""

from __future__ import annotations

import numpy as np

from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY


def cloud_cover(mask: np.ndarray) -> float:
    """Fraction of cloudy pixels among those that are either cloudy or cloud-free.

    Args:
        mask: Of any shape, boolean or integer: 1 is cloudy, 0 cloud-free, and other values are
            not counted.

    Returns:
        0 to 1; NaN if no pixel is either.
    """
    cloudy, clear = np.count_nonzero(mask == CLOUDY), np.count_nonzero(mask == CLOUD_FREE)
    return float(cloudy / (cloudy + clear)) if cloudy + clear else float("nan")

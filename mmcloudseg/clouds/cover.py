"""Cloud cover of a mask."""

import numpy as np

from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY


def cloud_cover(mask: np.ndarray) -> float:
    """Fraction of cloudy pixels (1) among those that are either cloudy or cloud-free (0).

    The mask may have any shape, boolean or integer. The result is NaN if no pixel is either.
    """
    cloudy, clear = np.count_nonzero(mask == CLOUDY), np.count_nonzero(mask == CLOUD_FREE)
    return float(cloudy / (cloudy + clear)) if cloudy + clear else float("nan")

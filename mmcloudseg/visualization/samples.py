"""What a picture needs to know of a sample."""

import math

import numpy as np
import torch
from mmseg.structures import SegDataSample

from mmcloudseg.clouds import cloud_cover

Array = np.ndarray | torch.Tensor


def sample_cover(data_sample: SegDataSample) -> float | None:
    """Cloud cover of the sample's mask; what the loader noted where the mask says nothing."""
    mask = field_array(data_sample, "gt_cloud_mask")
    covers = [math.nan if mask is None else cloud_cover(mask), data_sample.get("cloud_cover")]
    return next(
        (float(cover) for cover in covers if cover is not None and not math.isnan(cover)), None
    )


def split_bands(inputs: Array, band_layout: dict | None) -> tuple[Array | None, Array | None]:
    """Split a network's input into optical and SAR bands.

    Args:
        inputs: C x H x W, optical | SAR or one of the two; for the other, None is returned.
        band_layout: (start, stop) of ``optical`` and ``sar`` in what was loaded, which may be more
            than the network reads; None takes all bands for optical ones.

    Raises:
        ValueError: If the number of bands fits none of these.
    """
    if not band_layout:
        return inputs, None
    widths = {name: stop - start for name, (start, stop) in band_layout.items()}
    # A teacher reads the cloud-free image in the optical one's place.
    optical, sar = widths.get("optical", widths.get("cloud_free", 0)), widths.get("sar", 0)
    if len(inputs) == optical + sar:
        return (inputs[:optical] if optical else None), (inputs[optical:] if sar else None)
    if len(inputs) == optical:
        return inputs, None
    if len(inputs) == sar:
        return None, inputs
    raise ValueError(
        f"inputs have {len(inputs)} bands, expected {optical} optical, {sar} SAR or both by "
        f"band_layout {band_layout}"
    )


def field_array(data_sample: SegDataSample, key: str) -> np.ndarray | None:
    """Data of a sample's field as an array, None for a field it lacks."""
    return to_numpy(getattr(data_sample, key).data) if key in data_sample else None


def to_numpy(array: Array) -> np.ndarray:
    """Array of a tensor on any device; half precision becomes float32."""
    if isinstance(array, torch.Tensor):
        array = array.detach().cpu()
        return array.float().numpy() if array.is_floating_point() else array.numpy()
    return array

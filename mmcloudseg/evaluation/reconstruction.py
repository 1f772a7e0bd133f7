"""How close a reconstructed image is to the clear image, by region."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    spectral_angle_mapper,
    structural_similarity_index_measure,
)

from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX

PSNR_CAP_DB = 100.0
"""PSNR of identical images, whose infinite PSNR would make every mean infinite."""

_SMALLEST_SIDE = 6  # SSIM of torchmetrics mirrors 5 pixels beyond each border.


def region_masks(cloud_mask: Tensor | None, size: Sequence[int]) -> dict[str, Tensor]:
    """Make boolean masks of the regions of an image that have at least one pixel.

    Args:
        cloud_mask: H x W with 0 cloud-free, 1 cloudy and 255 padded; None without a mask.
        size: H and W.

    Returns:
        Masks by region: ``all`` (without padding) and, with a cloud mask, ``cloud_free`` and
        ``cloudy``.
    """
    if cloud_mask is None:
        return {"all": torch.ones(tuple(size), dtype=torch.bool)}
    masks = {
        "all": cloud_mask != IGNORE_INDEX,
        "cloud_free": cloud_mask == CLOUD_FREE,
        "cloudy": cloud_mask == CLOUDY,
    }
    return {region: mask for region, mask in masks.items() if mask.any()}


def reconstruction_scores(
    prediction: Tensor, target: Tensor, masks: dict[str, Tensor]
) -> dict[str, dict[str, float]]:
    """Score one image in each region; all scores but SSIM are computed in float64.

    SSIM (Wang et al., 2004; Gaussian window of 11 pixels) is the mean of the SSIM map of the whole
    image over the pixels of a region, so its windows reach across the border of the region. The
    spectral angle (Yuhas et al., 1992) leaves out pixels of which either spectrum is all zero and
    has no direction.

    Args:
        prediction: C x H x W image, 0 to 1.
        target: C x H x W clear image, 0 to 1.
        masks: H x W boolean masks by region, each with at least one pixel.

    Returns:
        By region: ``MAE``, ``RMSE``, ``PSNR`` in dB for a data range of 1 (at most
        ``PSNR_CAP_DB``), ``SSIM`` and, if the image has two bands or more and a pixel has a
        spectral angle, ``spectral_angle_deg``.

    Raises:
        ValueError: If an image is smaller than 6 x 6.
    """
    if min(target.shape[-2:]) < _SMALLEST_SIDE:
        raise ValueError(
            f"image is {tuple(target.shape[-2:])}, SSIM needs {_SMALLEST_SIDE} x {_SMALLEST_SIDE}"
            ": test larger crops"
        )
    # The convolutions of SSIM take 40 times as long in float64 and differ by less than 1e-6.
    _, ssim_map = structural_similarity_index_measure(
        prediction[None].float(), target[None].float(), data_range=1.0, return_full_image=True
    )
    # acos near 1 loses half of the digits: 0.02 degrees in float32.
    prediction, target = prediction.double(), target.double()
    ssim_map = ssim_map[0].double().mean(dim=0)
    angles_rad = None
    if len(target) > 1:
        angles_rad = spectral_angle_mapper(prediction[None], target[None], reduction="none")[0]
    directed = (prediction != 0).any(dim=0) & (target != 0).any(dim=0)

    scores = {}
    for region, mask in masks.items():
        mask = mask.to(target.device)
        p, t = prediction[:, mask].contiguous(), target[:, mask].contiguous()
        psnr = float(peak_signal_noise_ratio(p, t, data_range=1.0))
        scores[region] = dict(
            MAE=float(mean_absolute_error(p, t)),
            RMSE=float(mean_squared_error(p, t, squared=False)),
            PSNR=min(psnr, PSNR_CAP_DB),
            SSIM=float(ssim_map[mask].mean()),
        )
        if angles_rad is not None and (mask & directed).any():
            angle = float(angles_rad[mask & directed].mean())
            scores[region]["spectral_angle_deg"] = math.degrees(angle)
    return scores


def band_errors(prediction: Tensor, target: Tensor, masks: dict[str, Tensor]) -> dict[str, list]:
    """Compute C mean absolute errors by region, of images and masks as in the scores."""
    error = (prediction.double() - target.double()).abs()
    return {r: error[:, m.to(error.device)].mean(dim=1).tolist() for r, m in masks.items()}

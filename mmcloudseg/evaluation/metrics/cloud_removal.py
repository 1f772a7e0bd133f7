"""Image quality of the reconstructed cloud-free image, whole and under cloud."""

import math
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS
from prettytable import PrettyTable

from mmcloudseg.evaluation.confusion import REGIONS
from mmcloudseg.evaluation.reconstruction import (
    band_errors,
    reconstruction_scores,
    region_masks,
)
from mmcloudseg.evaluation.report import (
    REMOVAL_PREFIX,
    REMOVAL_SCORES,
    format_number,
    region_title,
)
from mmcloudseg.utils.samples import sample_name


@METRICS.register_module()
class CloudRemovalMetric(BaseMetric):
    """MAE, RMSE, PSNR, SSIM and spectral angle of ``pred_cloud_free``.

    Every score is computed per image and region and then averaged over the images that have such
    pixels: PSNR too comes from the mean squared error of an image's region, never from one pooled
    over images. Equal images count with 100 dB. Images are normalised, so errors are fractions of
    the optical bands' full scale.

    Keys (after the prefix ``cloud_removal``): ``MAE``, ``RMSE``, ``PSNR`` (dB), ``SSIM``,
    ``spectral_angle_deg``, and the same under ``cloud_free/`` and ``cloudy/``, nan where no image
    has such pixels. With ``band_names`` also ``MAE/<band>``, ``cloudy/MAE/<band>``, …

    Args:
        band_names: Names of the optical bands, for the MAE of each; None for none.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Replaces the prefix of the keys.
    """

    default_prefix = REMOVAL_PREFIX

    def __init__(
        self,
        band_names: Sequence[str] | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.band_names = tuple(band_names or ())

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score one batch; the scores of a sample are one entry of ``results``.

        Args:
            data_batch: Not read.
            data_samples: Outputs as dicts with ``pred_cloud_free`` and ``gt_cloud_free``
                (C x H x W, normalised) and, where there is one, ``gt_cloud_mask`` (1 x H x W).

        Raises:
            ValueError: If one of the two images is missing or their shapes differ.
        """
        self.results.extend(self._score(sample) for sample in data_samples)

    def _score(self, sample: dict) -> dict[str, dict[str, float]]:
        name = sample_name(sample)
        if "pred_cloud_free" not in sample:
            raise ValueError(
                f"{name}: no pred_cloud_free to score. A model reconstructs only when asked: set "
                "model.test_cfg.cloud_free=True, or take CloudRemovalMetric out of the evaluator."
            )
        if "gt_cloud_free" not in sample:
            raise ValueError(
                f"{name}: no gt_cloud_free to score against. Load it in the pipeline "
                "(LoadRasters with 'cloud_free' among its modalities)."
            )
        prediction = sample["pred_cloud_free"]["data"]
        target = sample["gt_cloud_free"]["data"].to(prediction.device)
        if prediction.shape != target.shape:
            raise ValueError(
                f"{name}: pred_cloud_free is {tuple(prediction.shape)}, gt_cloud_free "
                f"{tuple(target.shape)}, expected the same"
            )
        if self.band_names and len(self.band_names) != len(target):
            raise ValueError(
                f"{name}: {len(target)} bands, but band_names has {len(self.band_names)}: "
                f"{', '.join(self.band_names)}"
            )
        mask = sample["gt_cloud_mask"]["data"][0] if "gt_cloud_mask" in sample else None
        masks = region_masks(mask, tuple(target.shape[-2:]))
        try:
            scores = reconstruction_scores(prediction, target, masks)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if self.band_names:
            for region, errors in band_errors(prediction, target, masks).items():
                named = zip(self.band_names, errors, strict=True)
                scores[region].update({f"MAE/{band}": error for band, error in named})
        return scores

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average the samples' scores.

        Args:
            results: Entries made by `process`, one for each sample.

        Returns:
            Scores by key, see the class.
        """
        keys = [key for key, _, _ in REMOVAL_SCORES] + [f"MAE/{b}" for b in self.band_names]
        metrics = {}
        table = PrettyTable(["Pixels of", "Images", *(title for _, title, _ in REMOVAL_SCORES)])
        table.align = "r"
        table.align["Pixels of"] = "l"
        for region in REGIONS:
            images = [r[region] for r in results if region in r]
            means = {key: _mean([i[key] for i in images if key in i]) for key in keys}
            prefix = "" if region == "all" else f"{region}/"
            metrics.update({prefix + key: value for key, value in means.items()})
            values = [format_number(means[key], digits) for key, _, digits in REMOVAL_SCORES]
            table.add_row([region_title(region), len(images), *values])
        print_log(
            f"cloud removal, means over images:\n{table.get_string()}",
            logger=MMLogger.get_current_instance(),
        )
        return metrics


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan

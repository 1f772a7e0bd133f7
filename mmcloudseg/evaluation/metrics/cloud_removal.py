"""Image quality of the reconstructed cloud-free image, whole and under cloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS

from mmcloudseg.evaluation.confusion import REGIONS
from mmcloudseg.evaluation.groups import groups_of, labels_of
from mmcloudseg.evaluation.metrics.fields import cloud_mask_of
from mmcloudseg.evaluation.reconstruction import band_errors, reconstruction_scores, region_masks
from mmcloudseg.evaluation.score_keys import (
    CLOUD_REMOVAL,
    REMOVAL_SCORES,
    ScoreKey,
    group_title,
    region_title,
)
from mmcloudseg.utils.samples import sample_name
from mmcloudseg.utils.text import format_number, markdown_table


@METRICS.register_module()
class CloudRemovalMetric(BaseMetric):
    """MAE, RMSE, PSNR, SSIM and spectral angle of ``pred_cloud_free``.

    Every score is computed per image and region and then averaged over the images that have such
    pixels. PSNR, too, comes from the mean squared error of one region of one image, never from an
    error pooled over images. Identical images count as 100 dB. Images are normalised, so errors
    are fractions of the full scale of the optical bands.

    Keys (after the prefix ``cloud_removal``): ``MAE``, ``RMSE``, ``PSNR`` (dB), ``SSIM``,
    ``spectral_angle_deg``, and the same under ``cloud_free/`` and ``cloudy/``; NaN if no image
    has such pixels. With ``band_names`` also ``MAE/<band>``, ``cloudy/MAE/<band>``, …
    Groups of samples are scored as by ``CloudIoUMetric``: ``dataset_<dataset_name>/PSNR``.

    Args:
        band_names: Names of the optical bands, for the MAE of each band; None for none.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Replaces the prefix of the keys.
        by_dataset: Also score each data set of a joined test set.
    """

    default_prefix = CLOUD_REMOVAL

    def __init__(
        self,
        band_names: Sequence[str] | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        by_dataset: bool = False,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.by_dataset = by_dataset
        self.band_names = tuple(band_names or ())

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score one batch; the scores of a sample are one entry of ``results``.

        Args:
            data_batch: Not used.
            data_samples: Outputs as dicts with ``pred_cloud_free`` and ``gt_cloud_free``
                (C x H x W, normalised) and, if available, ``gt_cloud_mask`` (1 x H x W).

        Raises:
            ValueError: If one of the two images is missing or their shapes differ.
        """
        self.results += [dict(scores=self._score(s), **labels_of(s)) for s in data_samples]

    def _score(self, sample: dict) -> dict[str, dict[str, float]]:
        name = sample_name(sample)
        if "pred_cloud_free" not in sample:
            raise ValueError(
                f"{name}: no pred_cloud_free to score. Set model.test_cfg.cloud_free=True, so "
                "that the model predicts it, or remove CloudRemovalMetric from the evaluator."
            )
        if "gt_cloud_free" not in sample:
            raise ValueError(
                f"{name}: no gt_cloud_free to score against. Load it in the pipeline "
                "(LoadRasters with 'cloud_free' in its modalities)."
            )
        prediction = sample["pred_cloud_free"]["data"]
        target = sample["gt_cloud_free"]["data"].to(prediction.device)
        if prediction.shape != target.shape:
            raise ValueError(
                f"{name}: pred_cloud_free is {tuple(prediction.shape)}, gt_cloud_free "
                f"{tuple(target.shape)}; expected the same shape"
            )
        if self.band_names and len(self.band_names) != len(target):
            raise ValueError(
                f"{name}: {len(target)} bands, but band_names has {len(self.band_names)}: "
                f"{', '.join(self.band_names)}. Name every band"
            )
        masks = region_masks(cloud_mask_of(sample, target), target.shape[-2:])
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
        """Average the scores of the samples; their keys are listed by the class."""
        groups = [(None, results), *groups_of(results, self.by_dataset).items()]
        metrics: dict[str, float] = {}
        rows: list[list[object]] = []
        for group, members in groups:
            for region in REGIONS:
                scores = [member["scores"] for member in members]
                images = [image[region] for image in scores if region in image]
                metrics |= self._means(images, region, group)
                keys = [(ScoreKey(key, region, group=group), n) for key, _, n in REMOVAL_SCORES]
                cells = [format_number(metrics[str(key)], decimals) for key, decimals in keys]
                title = region_title(region) + (f", {group_title(group)}" if group else "")
                rows.append([title, len(images), *cells])
        titles = [title for _, title, _ in REMOVAL_SCORES]
        table = markdown_table(["Pixels of", "Images", *titles], rows)
        logger = MMLogger.get_current_instance()
        print_log(f"cloud removal, means over images:\n{table}", logger=logger)
        return metrics

    def _means(
        self, images: Sequence[dict[str, float]], region: str, group: str | None
    ) -> dict[str, float]:
        """Means over the images of a region; MMEngine puts the prefix in front of the keys."""
        keys: list[tuple[str, str | None]] = [(key, None) for key, _, _ in REMOVAL_SCORES]
        keys += [("MAE", band) for band in self.band_names]
        means = {}
        for key, band in keys:
            name = str(ScoreKey(key, item=band))
            values = [image[name] for image in images if name in image]
            mean = sum(values) / len(values) if values else math.nan
            means[str(ScoreKey(key, region, band, group=group))] = mean
        return means

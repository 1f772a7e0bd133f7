"""Calibration and risk-coverage of all, cloud-free and cloudy pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS
from prettytable import PrettyTable
from torch import Tensor

from mmcloudseg.evaluation.calibration import (
    CONFIDENCE_BINS,
    ConfidenceHistogram,
    area_under_risk_coverage,
    confidence_bins,
    confidence_of,
    expected_calibration_error,
    mean_confidence,
)
from mmcloudseg.evaluation.confusion import REGIONS, mask_to_label_grid
from mmcloudseg.evaluation.report import (
    CALIBRATION_PREFIX,
    CALIBRATION_SCORES,
    format_percent,
    region_title,
)
from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX
from mmcloudseg.utils.samples import sample_name

# Regions of a sample's cells. The rest is where there is no mask, or neither cloud nor clear sky.
_PARTS = ("cloud_free", "cloudy", "rest")
_MEASURES = dict(
    ECE=expected_calibration_error, AURC=area_under_risk_coverage, confidence=mean_confidence
)


@METRICS.register_module()
class CalibrationMetric(BaseMetric):
    """Expected calibration error, risk-coverage and mean confidence, by region.

    Confidence is the softmax probability of the predicted class in ``seg_logits``, which MMSeg
    leaves on the label grid. All scores are in percent, not rounded:

    - ``ECE``: expected calibration error in 15 bins of equal width (Guo et al., 2017);
    - ``AURC``: area under the risk-coverage curve (Geifman et al., 2019), low is good;
    - ``confidence``: mean confidence, to hold against ``aAcc``.

    Keys (after the prefix ``calibration``): ``ECE``, ``cloud_free/ECE``, ``cloudy/ECE``, … Where
    no pixel is, they are nan. A data set without cloud masks gets the keys of ``all`` only.

    Pixels are pooled over samples and sorted into 1500 bins of confidence: ECE is exact, AURC
    takes the pixels of a bin as equally confident.

    Args:
        ignore_index: Label value that is not counted; labels past the last class never are.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Replaces the prefix of the keys.

    Attributes:
        histograms: Those of the last evaluation, by region (main process only).
    """

    default_prefix = CALIBRATION_PREFIX

    def __init__(
        self,
        ignore_index: int = IGNORE_INDEX,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ignore_index = ignore_index
        self.histograms: dict[str, ConfidenceHistogram] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count one batch; the filled bins of a sample are one entry of ``results``.

        Args:
            data_batch: Not read.
            data_samples: Outputs as dicts with ``seg_logits`` (K x h x w), ``gt_sem_seg``
                (1 x h x w) and, where there is one, ``gt_cloud_mask`` (1 x H x W).

        Raises:
            ValueError: If logits or label are missing, differ in shape, are of one class or of
                another number than the data set's, or are not finite.
        """
        self.results.extend(self._count(sample) for sample in data_samples)

    def _count(self, sample: dict) -> dict[str, Any]:
        name = sample_name(sample)
        logits, label = self._fields(sample, str(name))
        try:
            prediction, confidence = confidence_of(logits)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None

        part = torch.full_like(label, _PARTS.index("rest"), dtype=torch.long)
        has_mask = "gt_cloud_mask" in sample
        if has_mask:
            mask = sample["gt_cloud_mask"]["data"][0].to(label.device)
            mask = mask_to_label_grid(mask, tuple(label.shape))
            part[mask == CLOUD_FREE] = _PARTS.index("cloud_free")
            part[mask == CLOUDY] = _PARTS.index("cloudy")
        counted = (label >= 0) & (label < len(logits)) & (label != self.ignore_index)
        confidence, right = confidence[counted], (prediction == label)[counted]
        if not confidence.isfinite().all():
            raise ValueError(
                f"{name}: seg_logits are not finite, so confidence is not defined. The model "
                "diverged, or its input holds nan."
            )
        cell = part[counted] * CONFIDENCE_BINS + confidence_bins(confidence)
        return dict(has_mask=has_mask, **_filled_cells(cell, right, confidence))

    def _fields(self, sample: dict, name: str) -> tuple[Tensor, Tensor]:
        """Logits and label of a sample, checked."""
        if "seg_logits" not in sample:
            raise ValueError(
                f"{name}: no seg_logits to take confidence from. Test without test-time "
                "augmentation, or take CalibrationMetric out of the evaluator."
            )
        if "gt_sem_seg" not in sample:
            raise ValueError(
                f"{name}: no gt_sem_seg to score against. Load labels in the pipeline "
                "(LoadRasters with_label=True), or take CalibrationMetric out of the evaluator."
            )
        logits = sample["seg_logits"]["data"]
        label = sample["gt_sem_seg"]["data"][0].to(logits.device)
        if logits.shape[1:] != label.shape:
            raise ValueError(
                f"{name}: seg_logits are {tuple(logits.shape[1:])}, its label "
                f"{tuple(label.shape)}. Predictions are made at ori_shape: set it to the label "
                "grid's, as PackCloudSegInputs does."
            )
        classes = (self.dataset_meta or {}).get("classes")
        if classes and 1 < len(logits) != len(classes):
            raise ValueError(
                f"{name}: seg_logits are of {len(logits)} classes, the data set names "
                f"{len(classes)}. Set the decode head's num_classes to the data set's."
            )
        return logits, label

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Sum the samples' bins and compute all scores.

        Args:
            results: Entries made by `process`, one for each sample.

        Returns:
            Scores in percent by key, see the class.
        """
        self.histograms = _histograms(results)
        metrics: dict[str, float] = {}
        table = PrettyTable(["Pixels of", "Pixels", *(t for _, t in CALIBRATION_SCORES)])
        table.align = "r"
        table.align["Pixels of"] = "l"
        masked = any(result["has_mask"] for result in results)
        for region in REGIONS if masked else REGIONS[:1]:
            histogram = self.histograms[region]
            prefix = "" if region == "all" else f"{region}/"
            values = {key: 100 * _MEASURES[key](histogram) for key, _ in CALIBRATION_SCORES}
            metrics.update({prefix + key: value for key, value in values.items()})
            row = [format_percent(value) for value in values.values()]
            table.add_row([region_title(region), histogram.pixels, *row])
        print_log(
            f"calibration in percent:\n{table.get_string()}",
            logger=MMLogger.get_current_instance(),
        )
        return metrics


def _filled_cells(cell: Tensor, right: Tensor, confidence: Tensor) -> dict[str, np.ndarray]:
    """Counts and sums of the cells that hold a pixel: a few hundred of 4500."""
    size = len(_PARTS) * CONFIDENCE_BINS
    count = torch.bincount(cell, minlength=size)
    correct = torch.bincount(cell[right], minlength=size)
    confidence_sum = torch.bincount(cell, weights=confidence.double(), minlength=size)
    filled = count.nonzero()[:, 0]
    return dict(
        cell=filled.cpu().numpy().astype(np.int16),
        count=count[filled].cpu().numpy().astype(np.int32),
        correct=correct[filled].cpu().numpy().astype(np.int32),
        confidence_sum=confidence_sum[filled].cpu().numpy(),
    )


def _histograms(results: list) -> dict[str, ConfidenceHistogram]:
    sums = {}
    for key, dtype in (("count", np.int64), ("correct", np.int64), ("confidence_sum", float)):
        sums[key] = np.zeros(len(_PARTS) * CONFIDENCE_BINS, dtype=dtype)
        for result in results:
            sums[key][result["cell"]] += result[key]
        sums[key] = sums[key].reshape(len(_PARTS), CONFIDENCE_BINS)
    parts = {
        part: ConfidenceHistogram(**{key: values[i] for key, values in sums.items()})
        for i, part in enumerate(_PARTS)
    }
    return {
        "all": ConfidenceHistogram.total(parts.values()),
        "cloud_free": parts["cloud_free"],
        "cloudy": parts["cloudy"],
    }

"""Calibration and risk-coverage of all, cloud-free and cloudy pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS
from torch import Tensor

from mmcloudseg.evaluation.calibration import (
    CONFIDENCE_BINS,
    ConfidenceHistogram,
    area_under_risk_coverage,
    binary_confidence,
    confidence_bins,
    confidence_of,
    expected_calibration_error,
    mean_confidence,
)
from mmcloudseg.evaluation.confusion import REGIONS, mask_to_label_grid
from mmcloudseg.evaluation.metrics.fields import cloud_mask_of, label_of
from mmcloudseg.evaluation.score_keys import (
    CALIBRATION,
    CALIBRATION_SCORES,
    ScoreKey,
    region_title,
)
from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX
from mmcloudseg.utils.samples import sample_name
from mmcloudseg.utils.text import format_number, markdown_table

# Parts into which the pixels of a sample are divided. "rest" has no mask, or another mask value.
_PARTS = ("cloud_free", "cloudy", "rest")
_MEASURES = dict(
    ECE=expected_calibration_error, AURC=area_under_risk_coverage, confidence=mean_confidence
)


@METRICS.register_module()
class CalibrationMetric(BaseMetric):
    """Expected calibration error, risk-coverage and mean confidence, by region.

    Confidence is the softmax probability of the predicted class in ``seg_logits``, which
    MMSegmentation leaves on the label grid. Of a head with one sigmoid channel for two classes it
    is the probability of the class in ``pred_sem_seg``, by the head's threshold. All scores are in
    percent, not rounded:

    - ``ECE``: expected calibration error in 15 bins of equal width (Guo et al., 2017);
    - ``AURC``: area under the risk-coverage curve (Geifman et al., 2019); low is good;
    - ``confidence``: mean confidence, to be compared with ``aAcc``.

    Keys (after the prefix ``calibration``): ``ECE``, ``cloud_free/ECE``, ``cloudy/ECE``, … Scores
    of a region without pixels are NaN. A dataset without cloud masks only gets the keys of
    ``all``.

    Pixels are pooled over samples and sorted into 1500 bins of confidence. ECE is exact; AURC
    treats the pixels of a bin as equally confident.

    Args:
        ignore_index: Label value that is not counted. Labels beyond the last class are never
            counted.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Replaces the prefix of the keys.

    Attributes:
        histograms: The histograms of the last evaluation, by region (main process only).
    """

    default_prefix = CALIBRATION

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
            data_batch: Not used.
            data_samples: Outputs as dicts with ``seg_logits`` (K x h x w), ``gt_sem_seg``
                (1 x h x w) and, if available, ``gt_cloud_mask`` (1 x H x W). A single channel
                (K = 1) is a probability, and ``pred_sem_seg`` stands next to it.

        Raises:
            ValueError: If logits or label are missing or differ in shape, or if the logits have
                another number of classes than the dataset, or are not finite.
        """
        self.results.extend(self._count(sample) for sample in data_samples)

    def _count(self, sample: dict) -> dict[str, Any]:
        name = sample_name(sample)
        logits, label = self._fields(sample, name)
        if len(logits) == 1:  # MMSegmentation has put it through its sigmoid
            prediction = sample["pred_sem_seg"]["data"][0].to(label.device)
            confidence = binary_confidence(logits[0], prediction)
        else:
            prediction, confidence = confidence_of(logits)
        part = torch.full_like(label, _PARTS.index("rest"), dtype=torch.long)
        mask = cloud_mask_of(sample, label)
        if mask is not None:
            label_mask = mask_to_label_grid(mask, label.shape)
            part[label_mask == CLOUD_FREE] = _PARTS.index("cloud_free")
            part[label_mask == CLOUDY] = _PARTS.index("cloudy")
        counted = (label >= 0) & (label < max(len(logits), 2)) & (label != self.ignore_index)
        confidence, right = confidence[counted], (prediction == label)[counted]
        if not confidence.isfinite().all():
            raise ValueError(
                f"{name}: seg_logits are not finite, so confidence is not defined. Check the "
                "input for NaN; if there is none, the model diverged: train it again."
            )
        cell = part[counted] * CONFIDENCE_BINS + confidence_bins(confidence)
        return dict(has_mask=mask is not None, **_filled_cells(cell, right, confidence))

    def _fields(self, sample: dict, name: str) -> tuple[Tensor, Tensor]:
        """Logits and label of a sample, checked."""
        if "seg_logits" not in sample:
            raise ValueError(
                f"{name}: no seg_logits to take confidence from. Test without test-time "
                "augmentation, or remove CalibrationMetric from the evaluator."
            )
        logits = sample["seg_logits"]["data"]
        label = label_of(sample, logits, "seg_logits are", "CalibrationMetric")
        classes = (self.dataset_meta or {}).get("classes")
        # One channel tells two classes apart.
        if classes and len(classes) not in ((1, 2) if len(logits) == 1 else (len(logits),)):
            raise ValueError(
                f"{name}: seg_logits are of {len(logits)} classes, the dataset names "
                f"{len(classes)}. Set num_classes of the decode head to that of the dataset."
            )
        return logits, label

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Sum the bins of the samples and compute all scores; the class lists their keys."""
        self.histograms = _histograms(results)
        metrics: dict[str, float] = {}
        rows = []
        masked = any(result["has_mask"] for result in results)
        for region in REGIONS if masked else REGIONS[:1]:
            histogram = self.histograms[region]
            values = {key: 100 * _MEASURES[key](histogram) for key, _ in CALIBRATION_SCORES}
            # MMEngine puts the prefix of the metric in front.
            metrics |= {str(ScoreKey(key, region)): value for key, value in values.items()}
            cells = map(format_number, values.values())
            rows.append([region_title(region), histogram.pixels, *cells])
        titles = [title for _, title in CALIBRATION_SCORES]
        table = markdown_table(["Pixels of", "Pixels", *titles], rows)
        print_log(f"calibration in percent:\n{table}", logger=MMLogger.get_current_instance())
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
    """Histograms of all samples together, by region."""
    sums: dict[str, np.ndarray] = {}
    for key, dtype in (("count", np.int64), ("correct", np.int64), ("confidence_sum", np.float64)):
        total = np.zeros(len(_PARTS) * CONFIDENCE_BINS, dtype=dtype)
        for result in results:
            total[result["cell"]] += result[key]
        sums[key] = total.reshape(len(_PARTS), CONFIDENCE_BINS)
    parts = [
        ConfidenceHistogram(**{key: values[i] for key, values in sums.items()})
        for i in range(len(_PARTS))
    ]
    return dict(all=ConfidenceHistogram.total(parts), cloud_free=parts[0], cloudy=parts[1])

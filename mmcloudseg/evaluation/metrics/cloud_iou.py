"""Land-cover scores of all, cloud-free and cloudy pixels and by cloud cover."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from mmengine.logging import MMLogger, print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from prettytable import PrettyTable
from torch import Tensor

from mmcloudseg.evaluation.confusion import (
    REGIONS,
    SampleConfusion,
    Scores,
    cover_bin,
    cover_percent,
    mask_to_label_grid,
    region_matrices,
    scores_from_confusion,
)
from mmcloudseg.evaluation.report import (
    CLASS_SCORES,
    SUMMARY_SCORES,
    format_percent,
    region_title,
)
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.samples import sample_name


@METRICS.register_module()
class CloudIoUMetric(IoUMetric):
    """Segmentation scores from confusion matrices, by region and by cloud cover.

    Each sample adds one confusion matrix to ``all``, ``cloud_free`` (mask 0) and ``cloudy``
    (mask 1), and the one of all its pixels to the bin of its cloud cover, the share of cloudy
    pixels of its mask on the optical grid. Other mask values are in neither region. Bins hold
    their lower edge and not their upper one, but for the last, which holds both.

    Scores are in percent, float64, not rounded: ``aAcc``, ``mAcc`` (over classes with labels),
    ``fwIoU``, ``mIoU`` and ``mFscore`` (both over classes in labels or predictions), and ``IoU``,
    ``Acc`` and ``Fscore`` by class. Keys: ``mIoU``, ``IoU/<class>``, ``cloudy/mIoU``,
    ``cloudy/IoU/<class>``, ``cover_0-20/mIoU``. Where no pixel is, they are nan. A data set
    without cloud masks gets the keys of ``all`` only.

    Args:
        cover_edges: Edges of the cloud-cover bins in percent, whole and rising; empty for no bins.
        beta: Weight of recall in the F-score.
        ignore_index: Label value that is not counted; labels past the last class never are.
        output_dir: Folder for the predictions as PNG, see `IoUMetric`.
        format_only: Only write the predictions: no label is needed, no score computed.
        collect_device: ``'cpu'`` or ``'gpu'``, see `IoUMetric`.
        prefix: Prefix of the keys.

    Attributes:
        samples: The matrices of the last evaluation, sample by sample (main process only).

    Raises:
        ValueError: If the edges don't rise, or ``format_only`` comes without ``output_dir``.
    """

    def __init__(
        self,
        cover_edges: Sequence[int] = (0, 20, 40, 60, 80, 100),
        beta: float = 1.0,
        ignore_index: int = IGNORE_INDEX,
        output_dir: str | None = None,
        format_only: bool = False,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        if format_only and output_dir is None:
            raise ValueError("format_only=True writes predictions: set output_dir to a folder")
        edges = tuple(cover_edges)
        if len(edges) == 1 or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(
                f"cover_edges are {edges}, expected at least two rising percentages, or none"
            )
        super().__init__(
            ignore_index=ignore_index,
            beta=beta,
            collect_device=collect_device,
            output_dir=output_dir,
            format_only=format_only,
            prefix=prefix,
        )
        self.samples: list[SampleConfusion] = []
        self.cover_edges = edges
        self.cover_names = [f"cover_{a}-{b}" for a, b in pairwise(edges)]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count one batch; the matrices of a sample are one entry of ``results``.

        Args:
            data_batch: Not read.
            data_samples: Outputs as dicts with ``pred_sem_seg`` and ``gt_sem_seg`` (1 x h x w)
                and, where there is one, ``gt_cloud_mask`` (1 x H x W).

        Raises:
            ValueError: If a sample has no label, its shapes differ or its classes are too many.
        """
        if self.output_dir is not None:
            self._write_predictions(data_batch, data_samples)
        if not self.format_only:
            self.results.extend(self._count(sample) for sample in data_samples)

    def _write_predictions(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        # The parent writes and counts in one method, and format_only is its switch for counting.
        format_only, self.format_only = self.format_only, True
        try:
            super().process(data_batch, data_samples)
        finally:
            self.format_only = format_only

    def _count(self, sample: dict) -> dict[str, Any]:
        """Confusion matrices of one sample, its cover bin and whether it has a mask."""
        if "gt_sem_seg" not in sample:
            raise ValueError(
                f"{sample_name(sample)}: no gt_sem_seg to score against. Load labels in the "
                "pipeline (LoadRasters with_label=True), or set format_only=True."
            )
        prediction = sample["pred_sem_seg"]["data"][0]
        label = sample["gt_sem_seg"]["data"][0].to(prediction.device)
        if prediction.shape != label.shape:
            raise ValueError(
                f"{sample_name(sample)}: prediction is {tuple(prediction.shape)}, its label "
                f"{tuple(label.shape)}. Predictions are made at ori_shape: set it to the label "
                "grid's, as PackCloudSegInputs does."
            )
        mask = label_mask = bin_index = None
        cover = math.nan
        if "gt_cloud_mask" in sample:
            mask = sample["gt_cloud_mask"]["data"][0].to(prediction.device)
            label_mask = mask_to_label_grid(mask, tuple(label.shape))
            bin_index = cover_bin(mask, self.cover_edges)
            cover = cover_percent(mask)
        try:
            matrices = region_matrices(
                label, prediction, label_mask, self._num_classes(), self.ignore_index
            )
        except ValueError as error:
            raise ValueError(f"{sample_name(sample)}: {error}") from None
        return dict(
            matrices=matrices.cpu(),
            cover_bin=bin_index,
            has_mask=mask is not None,
            cover=cover,
            name=sample_name(sample),
            area=str(sample.get("area") or sample_name(sample)),
        )

    def _num_classes(self) -> int:
        classes = (self.dataset_meta or {}).get("classes")
        if not classes:
            raise ValueError("CloudIoUMetric: dataset_meta names no classes; set the data set's")
        return len(classes)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Sum the samples' matrices and compute all scores.

        Args:
            results: Entries made by `process`, one for each sample.

        Returns:
            Scores in percent by key, see the class; nothing with ``format_only``.
        """
        if self.format_only:
            return super().compute_metrics(results)
        self.samples = [
            SampleConfusion(r["name"], r["area"], r["cover"], r["matrices"].numpy())
            for r in results
        ]
        matrices, samples = self._totals(results)
        scores = {k: scores_from_confusion(m, self.beta) for k, m in matrices.items()}
        classes = self.dataset_meta["classes"]
        metrics: dict[str, float] = {}
        for region, region_scores in scores.items():
            prefix = "" if region == "all" else f"{region}/"
            for key, _, attribute in SUMMARY_SCORES:
                metrics[prefix + key] = 100 * getattr(region_scores, attribute)
            if region in REGIONS:
                metrics.update(_class_metrics(region_scores, classes, prefix))
        self._log(scores, samples, classes)
        return metrics

    def _totals(self, results: list) -> tuple[dict[str, Tensor], dict[str, int]]:
        """Summed matrices and number of samples by region and bin."""
        size = self._num_classes()
        total = sum((r["matrices"] for r in results), torch.zeros(3, size, size, dtype=torch.long))
        masked = [r for r in results if r["has_mask"]]
        matrices, samples = {"all": total[0]}, {"all": len(results)}
        if not masked:
            return matrices, samples
        for index, region in enumerate(REGIONS[1:], start=1):
            matrices[region], samples[region] = total[index], len(masked)
        for index, name in enumerate(self.cover_names):
            chosen = [r["matrices"][0] for r in masked if r["cover_bin"] == index]
            matrices[name] = sum(chosen, torch.zeros_like(total[0]))
            samples[name] = len(chosen)
        return matrices, samples

    def _log(
        self, scores: dict[str, Scores], samples: dict[str, int], classes: Sequence[str]
    ) -> None:
        logger = MMLogger.get_current_instance()
        summary = PrettyTable(
            ["Pixels of", "Samples", "Pixels", *(title for _, title, _ in SUMMARY_SCORES)]
        )
        summary.align = "r"
        summary.align["Pixels of"] = "l"
        for region, s in scores.items():
            values = [format_percent(100 * getattr(s, a)) for _, _, a in SUMMARY_SCORES]
            summary.add_row([region_title(region), samples[region], s.pixels, *values])
        print_log(f"scores in percent:\n{summary.get_string()}", logger=logger)

        regions = [region for region in scores if region in REGIONS]
        columns = [(r, *score) for r in regions for score in CLASS_SCORES]
        per_class = PrettyTable(
            ["Class", *(f"{title} {region_title(r)}" for r, _, title, _ in columns)]
        )
        per_class.align = "r"
        per_class.align["Class"] = "l"
        for index, name in enumerate(classes):
            values = [100 * getattr(scores[r], attribute)[index] for r, _, _, attribute in columns]
            per_class.add_row([name, *map(format_percent, values)])
        print_log(f"scores by class in percent:\n{per_class.get_string()}", logger=logger)


def _class_metrics(scores: Scores, classes: Sequence[str], prefix: str) -> dict[str, float]:
    """Scores by class in percent, keys ``<prefix>IoU/<class>``."""
    metrics = {}
    for key, _, attribute in CLASS_SCORES:
        values: np.ndarray = 100 * getattr(scores, attribute)
        metrics.update(
            {f"{prefix}{key}/{c}": float(v) for c, v in zip(classes, values, strict=True)}
        )
    return metrics

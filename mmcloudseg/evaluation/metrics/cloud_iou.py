"""Land-cover scores of all, cloud-free and cloudy pixels and by cloud cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from mmengine.logging import MMLogger, print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
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
from mmcloudseg.evaluation.groups import groups_of, joins_datasets, labels_of
from mmcloudseg.evaluation.metrics.fields import cloud_mask_of, label_of
from mmcloudseg.evaluation.score_keys import (
    CLASS_SCORES,
    SUMMARY_SCORES,
    ScoreKey,
    cover_bin_name,
    group_title,
    region_title,
)
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.samples import sample_name
from mmcloudseg.utils.text import format_number, markdown_table


@METRICS.register_module()
class CloudIoUMetric(IoUMetric):
    """Segmentation scores from confusion matrices, by region and by cloud cover.

    Each sample adds one confusion matrix to ``all``, ``cloud_free`` (mask 0) and ``cloudy``
    (mask 1). The matrix of all its pixels is also added to the bin of its cloud cover, which is
    the share of cloudy pixels in its mask on the optical grid. Pixels with other mask values are
    in neither region. A bin includes its lower edge and excludes its upper edge; the last bin
    includes both.

    Scores are in percent, float64, not rounded: ``aAcc``, ``mAcc`` (over classes with labels),
    ``fwIoU``, ``mIoU`` and ``mFscore`` (both over classes in labels or predictions), and ``IoU``,
    ``Acc`` and ``Fscore`` by class. Keys: ``mIoU``, ``IoU/<class>``, ``cloudy/mIoU``,
    ``cloudy/IoU/<class>``, ``cover_0-20/mIoU``. Scores of a region without pixels are NaN. A
    dataset without cloud masks only gets the keys of ``all``.

    If samples differ in their metainfo ``modalities``, as where some lack SAR, all scores but
    those by cover are also given for each of its values: ``modalities_optical/mIoU``,
    ``modalities_optical+sar/cloudy/IoU/<class>``. With ``by_dataset`` they are given for each
    data set: ``dataset_<dataset_name>/mIoU``.

    Args:
        cover_edges: Edges of the cloud-cover bins in percent, whole and rising; empty for no bins.
        beta: Weight of recall in the F-score.
        ignore_index: Label value that is not counted. Labels beyond the last class are never
            counted.
        output_dir: Folder for the predictions as PNG, see ``IoUMetric``.
        format_only: Only write the predictions: no label is needed and no score is computed.
        collect_device: ``'cpu'`` or ``'gpu'``, see ``IoUMetric``.
        prefix: Prefix of the keys.
        by_dataset: Also score each data set of a joined test set.

    Attributes:
        samples: The matrices of the last evaluation, one entry per sample (main process only).
            Names and areas begin with ``<dataset_name>/`` if there are several data sets.

    Raises:
        ValueError: If the edges do not rise, or ``format_only`` is set without ``output_dir``.
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
        by_dataset: bool = False,
    ) -> None:
        if format_only and output_dir is None:
            raise ValueError("format_only=True only writes predictions: set output_dir")
        edges = tuple(cover_edges)
        if len(edges) == 1 or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"cover_edges are {edges}, expected () or 2 or more rising percents")
        super().__init__(
            ignore_index=ignore_index,
            beta=beta,
            collect_device=collect_device,
            output_dir=output_dir,
            format_only=format_only,
            prefix=prefix,
        )
        # MMSegmentation writes and counts in one method: this one only writes.
        self._writer = IoUMetric(output_dir=output_dir, format_only=True) if output_dir else None
        self.samples: list[SampleConfusion] = []
        self.by_dataset = by_dataset
        self.cover_edges = edges
        self.cover_names = [cover_bin_name(a, b) for a, b in pairwise(edges)]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count one batch; each sample adds one entry to ``results``.

        Args:
            data_batch: Not used.
            data_samples: Outputs as dicts with ``pred_sem_seg`` and ``gt_sem_seg`` (1 x h x w)
                and, if available, ``gt_cloud_mask`` (1 x H x W).

        Raises:
            ValueError: If a sample has no label, its shapes differ, or it has too many classes.
        """
        if self._writer is not None:
            self._writer.dataset_meta = self.dataset_meta
            self._writer.process(data_batch, data_samples)
        if not self.format_only:
            self.results.extend(self._count(sample) for sample in data_samples)

    def _count(self, sample: dict) -> dict[str, Any]:
        """Confusion matrices of one sample, its cover bin and whether it has a mask."""
        name = sample_name(sample)
        prediction = sample["pred_sem_seg"]["data"][0]
        label = label_of(sample, prediction, "prediction is", "CloudIoUMetric")
        mask = cloud_mask_of(sample, prediction)
        label_mask = None if mask is None else mask_to_label_grid(mask, label.shape)
        try:
            matrices = region_matrices(
                label, prediction, label_mask, self._num_classes(), self.ignore_index
            )
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return dict(
            matrices=matrices.cpu(),
            cover_bin=None if mask is None else cover_bin(mask, self.cover_edges),
            has_mask=mask is not None,
            cover=math.nan if mask is None else cover_percent(mask),
            name=name,
            area=str(sample.get("area") or name),
            **labels_of(sample),
        )

    def _num_classes(self) -> int:
        classes = (self.dataset_meta or {}).get("classes")
        if not classes:
            raise ValueError(
                "CloudIoUMetric: dataset_meta has no classes; set those of the dataset"
            )
        return len(classes)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Sum the matrices of the samples and compute all scores; none with ``format_only``."""
        if self.format_only:
            return super().compute_metrics(results)
        self.samples = _sample_matrices(results)
        matrices, samples = self._totals(results)
        found = {ScoreKey("", region): matrix for region, matrix in matrices.items()}
        counts = {ScoreKey("", region): count for region, count in samples.items()}
        for group, members in groups_of(results, self.by_dataset).items():
            matrices, samples = self._totals(members)
            for region in [region for region in matrices if region in REGIONS]:
                found[ScoreKey("", region, group=group)] = matrices[region]
                counts[ScoreKey("", region, group=group)] = samples[region]
        classes = self.dataset_meta["classes"]
        scores = {key: scores_from_confusion(m, self.beta) for key, m in found.items()}
        _log(scores, counts, classes)
        return _by_key(scores, classes)

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


def _sample_matrices(results: list) -> list[SampleConfusion]:
    """The matrices of each sample; names of joined data sets need not be unique by themselves."""
    joined = joins_datasets(results)
    prefixes = [f"{r['dataset_name']}/" if joined and r["dataset_name"] else "" for r in results]
    return [
        SampleConfusion(f"{p}{r['name']}", f"{p}{r['area']}", r["cover"], r["matrices"].numpy())
        for p, r in zip(prefixes, results, strict=True)
    ]


def _by_key(scores: dict[ScoreKey, Scores], classes: Sequence[str]) -> dict[str, float]:
    """The scores in percent, by the keys that ``CloudIoUMetric`` lists."""
    metrics: dict[str, float] = {}
    for pixels, found in scores.items():
        for key, _, attribute in SUMMARY_SCORES:
            metrics[str(replace(pixels, score=key))] = 100 * getattr(found, attribute)
        if pixels.region not in REGIONS:
            continue
        for key, _, attribute in CLASS_SCORES:
            for name, value in zip(classes, 100 * getattr(found, attribute), strict=True):
                metrics[str(replace(pixels, score=key, item=name))] = float(value)
    return metrics


def _title(pixels: ScoreKey) -> str:
    region = region_title(pixels.region)
    return region if pixels.group is None else f"{region}, {group_title(pixels.group)}"


def _log(
    scores: dict[ScoreKey, Scores], samples: dict[ScoreKey, int], classes: Sequence[str]
) -> None:
    """Log all scores, which keys without a score stand for, and those of classes."""
    logger = MMLogger.get_current_instance()
    rows: list[list[object]] = []
    for pixels, found in scores.items():
        values = [100 * getattr(found, attribute) for _, _, attribute in SUMMARY_SCORES]
        cells = map(format_number, values)
        rows.append([_title(pixels), samples[pixels], found.pixels, *cells])
    titles = [title for _, title, _ in SUMMARY_SCORES]
    table = markdown_table(["Pixels of", "Samples", "Pixels", *titles], rows)
    print_log(f"scores in percent:\n{table}", logger=logger)

    columns = {
        f"{title} {_title(pixels)}": 100 * getattr(found, attribute)
        for pixels, found in scores.items()
        if pixels.region in REGIONS and pixels.group is None
        for _, title, attribute in CLASS_SCORES
    }
    by_class = zip(classes, *columns.values(), strict=True)
    rows = [[name, *map(format_number, values)] for name, *values in by_class]
    table = markdown_table(["Class", *columns], rows)
    print_log(f"scores by class in percent:\n{table}", logger=logger)

"""The keys of scores: how they are built, read and shown.

A key is ``[metric/][group/][region/]score[/item]``, for example ``mIoU``, ``cloudy/IoU/water``,
``cover_20-40/mIoU``, ``calibration/cloudy/ECE`` and ``dataset_north/cloudy/mIoU``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmcloudseg.evaluation.confusion import REGIONS

CALIBRATION = "calibration"
CLOUD_REMOVAL = "cloud_removal"
"""Prefixes of the keys of ``CalibrationMetric`` and ``CloudRemovalMetric``."""

SUMMARY_SCORES = (
    ("aAcc", "OA", "overall_accuracy"),
    ("mAcc", "mAcc", "mean_accuracy"),
    ("fwIoU", "fwIoU", "frequency_weighted_iou"),
    ("mIoU", "mIoU", "mean_iou"),
    ("mFscore", "F1", "mean_fscore"),
)
"""Key, title and ``Scores`` attribute of each score of a region."""

CLASS_SCORES = (("IoU", "IoU", "iou"), ("Acc", "Acc", "accuracy"), ("Fscore", "F1", "fscore"))
"""Key, title and ``Scores`` attribute of each score of a class."""

REMOVAL_SCORES = (
    ("MAE", "MAE", 4),
    ("RMSE", "RMSE", 4),
    ("PSNR", "PSNR (dB)", 2),
    ("SSIM", "SSIM", 4),
    ("spectral_angle_deg", "spectral angle (degrees)", 2),
)
"""Key, title with unit, and number of decimals of each cloud-removal score."""

CALIBRATION_SCORES = (("ECE", "ECE"), ("AURC", "AURC"), ("confidence", "mean confidence"))
"""Key and title of each calibration score, all in percent."""

DATASET_GROUP = "dataset_"
MODALITIES_GROUP = "modalities_"
"""What the names of groups of samples begin with, by data set and by the modalities there are."""

_COVER = re.compile(r"cover_([\d.]+)-([\d.]+)")


@dataclass(frozen=True)
class ScoreKey:
    """The parts of a score's key; ``str`` puts them together.

    Attributes:
        score: The score, for example ``mIoU``.
        region: ``all``, ``cloud_free``, ``cloudy`` or the name of a cloud-cover bin.
        item: The class or band that the score belongs to; None for a score of the whole region.
        metric: ``calibration``, ``cloud_removal``, or None for the land-cover scores.
        group: The samples that were scored, such as ``dataset_north``; None for all of them.
    """

    score: str
    region: str = "all"
    item: str | None = None
    metric: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        region = None if self.region == "all" else self.region
        parts = (self.metric, self.group, region, self.score, self.item)
        return "/".join(part for part in parts if part)

    @classmethod
    def parse(cls, key: str) -> ScoreKey:
        """Split a key into its parts. Unknown parts become the score and the item."""
        parts = key.split("/")
        metric, group, region = None, None, "all"
        if len(parts) > 1 and parts[0] in (CALIBRATION, CLOUD_REMOVAL):
            metric = parts.pop(0)
        if len(parts) > 1 and parts[0].startswith((DATASET_GROUP, MODALITIES_GROUP)):
            group = parts.pop(0)
        if len(parts) > 1 and (parts[0] in REGIONS or cover_edges(parts[0])):
            region = parts.pop(0)
        return cls(parts[0], region, "/".join(parts[1:]) or None, metric, group)


def cover_bin_name(low: float, high: float) -> str:
    """Name the cloud-cover bin between two edges in percent."""
    return f"cover_{low}-{high}"


def cover_edges(region: str) -> tuple[float, float] | None:
    """Return the edges of a cloud-cover bin in percent; None for any other region."""
    found = _COVER.fullmatch(region)
    return (float(found[1]), float(found[2])) if found else None


def region_title(region: str) -> str:
    """Name a region in tables: ``cloud-free``, ``cover 0-20 %``."""
    if cover_edges(region):
        return f"cover {region.removeprefix('cover_')} %"
    return region.replace("_", "-")


def group_title(group: str) -> str:
    """Name a group of samples in tables: ``data set north``, ``with optical+sar``."""
    if group.startswith(DATASET_GROUP):
        return f"data set {group.removeprefix(DATASET_GROUP)}"
    return f"with {group.removeprefix(MODALITIES_GROUP)}"

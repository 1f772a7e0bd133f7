"""Score tables for people and score files for programs."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from prettytable import PrettyTable, TableStyle

from mmcloudseg.utils.files import atomic_write

SUMMARY_SCORES = (
    ("aAcc", "OA", "overall_accuracy"),
    ("mAcc", "mAcc", "mean_accuracy"),
    ("fwIoU", "fwIoU", "frequency_weighted_iou"),
    ("mIoU", "mIoU", "mean_iou"),
    ("mFscore", "F1", "mean_fscore"),
)
"""Key, title and `Scores` attribute of each score of a region."""

CLASS_SCORES = (
    ("IoU", "IoU", "iou"),
    ("Acc", "Acc", "accuracy"),
    ("Fscore", "F1", "fscore"),
)
"""The same for the scores of a class."""

REMOVAL_SCORES = (
    ("MAE", "MAE", 4),
    ("RMSE", "RMSE", 4),
    ("PSNR", "PSNR (dB)", 2),
    ("SSIM", "SSIM", 4),
    ("spectral_angle_deg", "spectral angle (degrees)", 2),
)
"""Key, title with unit and decimals of each cloud-removal score."""

CALIBRATION_SCORES = (
    ("ECE", "ECE"),
    ("AURC", "AURC"),
    ("confidence", "mean confidence"),
)
"""Key and title of each calibration score, all in percent."""

REMOVAL_PREFIX = "cloud_removal"
CALIBRATION_PREFIX = "calibration"
_COLUMNS = (("all", ""), ("cloud-free", "cloud_free/"), ("cloudy", "cloudy/"))


def format_percent(value: float) -> str:
    """Two decimals, or '-' for nan: no such pixel."""
    return format_number(value, 2)


def format_number(value: float, decimals: int) -> str:
    """Fixed decimals, or '-' for nan."""
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


def region_title(region: str) -> str:
    """Name a region for people: 'cloud-free', 'cover 0-20 %'."""
    if region.startswith("cover_"):
        return f"cover {region.removeprefix('cover_')} %"
    return region.replace("_", "-")


def format_scores(metrics: Mapping[str, float], classes: Sequence[str]) -> str:
    """Print the scores of a test as one table that is also Markdown.

    Args:
        metrics: What the evaluator returned, with the keys of `CloudIoUMetric` and, where there
            are such, of `CalibrationMetric` and `CloudRemovalMetric`.
        classes: Class names in order.

    Returns:
        A table with the columns all, cloud-free, cloudy and the rows OA, mAcc, fwIoU, mIoU, F1,
        IoU by class (percent), mIoU by cloud cover, calibration, then cloud removal. Columns and
        rows without any key are left out; nan is '-'.
    """
    columns = [c for c in _COLUMNS if not _column_keys(c[1]).isdisjoint(metrics)]
    table = PrettyTable(["", *(title for title, _ in columns)])
    table.set_style(TableStyle.MARKDOWN)
    table.align = "r"
    table.align[""] = "l"

    def add_row(title: str, keys: Sequence[str | None], decimals: int = 2) -> None:
        if any(key in metrics for key in keys):
            values = [format_number(metrics.get(key, math.nan), decimals) for key in keys]
            table.add_row([title, *values])

    for key, title, _ in SUMMARY_SCORES:
        add_row(f"{title} (%)", [prefix + key for _, prefix in columns])
    for name in classes:
        add_row(f"IoU {name} (%)", [f"{prefix}IoU/{name}" for _, prefix in columns])
    for key in metrics:
        if key.startswith("cover_") and key.endswith("/mIoU"):
            # A bin holds whole samples, so it has a figure for all of their pixels only.
            title = region_title(key.removesuffix("/mIoU"))
            add_row(f"mIoU {title}", [key, *[None] * (len(columns) - 1)])
    for key, title in CALIBRATION_SCORES:
        keys = [f"{CALIBRATION_PREFIX}/{prefix}{key}" for _, prefix in columns]
        add_row(f"{title} (%)", keys)
    for key, title, decimals in REMOVAL_SCORES:
        keys = [f"{REMOVAL_PREFIX}/{prefix}{key}" for _, prefix in columns]
        add_row(title, keys, decimals)
    return table.get_string()


def _column_keys(prefix: str) -> set[str]:
    """Keys any of which gives a region a column."""
    return {
        f"{prefix}mIoU",
        f"{CALIBRATION_PREFIX}/{prefix}{CALIBRATION_SCORES[0][0]}",
        f"{REMOVAL_PREFIX}/{prefix}{REMOVAL_SCORES[0][0]}",
    }


def scores_to_json(metrics: Mapping[str, float], path: str | Path) -> None:
    """Write the scores to a JSON file that is whole or not there.

    Args:
        metrics: Scores by key; nan and infinity, which JSON lacks, become null.
        path: The file. Its folder is made where missing; a file that is there is replaced.
    """
    values = {k: float(v) if math.isfinite(v) else None for k, v in metrics.items()}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", "utf-8")

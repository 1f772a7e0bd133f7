"""Score tables for people and score files for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmcloudseg.evaluation.confusion import REGIONS
from mmcloudseg.evaluation.score_keys import (
    CALIBRATION,
    CALIBRATION_SCORES,
    CLOUD_REMOVAL,
    REMOVAL_SCORES,
    SUMMARY_SCORES,
    ScoreKey,
    cover_edges,
    group_title,
    region_title,
)
from mmcloudseg.utils.files import write_text
from mmcloudseg.utils.text import format_number, markdown_table


def format_scores(metrics: Mapping[str, float], classes: Sequence[str]) -> str:
    """Write the scores of a test as one Markdown table.

    Args:
        metrics: The scores that the evaluator returned, with the keys of ``CloudIoUMetric`` and,
            if present, of ``CalibrationMetric`` and ``CloudRemovalMetric``.
        classes: Class names in order.

    Returns:
        A table with the columns all, cloud-free and cloudy and the rows OA, mAcc, fwIoU, mIoU, F1,
        IoU by class (percent), mIoU by cloud cover and by group of samples, calibration, then
        cloud removal. Columns and rows without any key are left out; NaN is shown as ``-``.
    """
    regions = [region for region in REGIONS if _has_column(metrics, region)]
    rows: list[list[str]] = []

    def add_row(title: str, score: ScoreKey, decimals: int = 2) -> None:
        keys = [str(replace(score, region=region)) for region in regions]
        if any(key in metrics for key in keys):
            values = [metrics.get(key, math.nan) for key in keys]
            rows.append([title, *(format_number(value, decimals) for value in values)])

    for name, title, _ in SUMMARY_SCORES:
        add_row(f"{title} (%)", ScoreKey(name))
    for class_name in classes:
        add_row(f"IoU {class_name} (%)", ScoreKey("IoU", item=class_name))
    for key, value in metrics.items():
        parts = ScoreKey.parse(key)
        if parts == ScoreKey("mIoU", parts.region) and cover_edges(parts.region):
            # A bin holds whole samples, so it only has a score of all their pixels.
            blanks = ["-"] * (len(regions) - 1)
            rows.append([f"mIoU {region_title(parts.region)}", format_number(value), *blanks])
    groups = [group for key in metrics if (group := ScoreKey.parse(key).group)]
    for group in dict.fromkeys(groups):
        add_row(f"mIoU {group_title(group)} (%)", ScoreKey("mIoU", group=group))
    for name, title in CALIBRATION_SCORES:
        add_row(f"{title} (%)", ScoreKey(name, metric=CALIBRATION))
    for name, title, decimals in REMOVAL_SCORES:
        add_row(title, ScoreKey(name, metric=CLOUD_REMOVAL), decimals)
        for group in dict.fromkeys(groups):
            score = ScoreKey(name, metric=CLOUD_REMOVAL, group=group)
            add_row(f"{title}, {group_title(group)}", score, decimals)
    return markdown_table(["", *map(region_title, regions)], rows)


def _has_column(metrics: Mapping[str, float], region: str) -> bool:
    """Whether any of the three metrics has scored a region."""
    scores = (("mIoU", None), ("ECE", CALIBRATION), ("MAE", CLOUD_REMOVAL))
    return any(str(ScoreKey(s, region, metric=metric)) in metrics for s, metric in scores)


def scores_to_json(metrics: Mapping[str, float], path: str | Path) -> None:
    """Write the scores to a JSON file, completely or not at all.

    Args:
        metrics: Scores by key; NaN and infinity, which JSON does not have, become null.
        path: The file. Its folder is created if it is missing; an existing file is replaced.
    """
    values = {k: float(v) if math.isfinite(v) else None for k, v in metrics.items()}
    write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")

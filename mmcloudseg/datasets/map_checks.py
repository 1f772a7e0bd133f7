"""Checks of labels and cloud masks of some samples, before a run starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmcloudseg.datasets.transforms.loading import LoadRasters
from mmcloudseg.datasets.transforms.sample_grid import SampleGrid
from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.text import shorten_list

_FEW = 3
"""Masks of one kind that may be so by chance."""


def check_labels(loader: LoadRasters, samples: Sequence[Mapping]) -> list[str]:
    """Say which labels are missing or do not fit the legend, or that none of them counts."""
    problems, lacking, counted = [], [], 0
    for sample in samples:
        if not sample.get("seg_map_path"):
            lacking.append(sample["img_path"])
            continue
        try:
            label = loader.load_label(sample, SampleGrid.of(sample))
        except DataError as error:
            problems.append(str(error))
        else:
            counted += int((label != IGNORE_INDEX).sum())
    if lacking:
        problems.append(
            f"{len(lacking)} of {len(samples)} samples looked at have no label: "
            f"{shorten_list(lacking, 3)}. Name the labels' folder as seg_map_path in the "
            "dataset's data_prefix, or in the column of that name in its list"
        )
    if not problems and samples and not counted:
        problems.append(
            f"{samples[0]['seg_map_path']}: no pixel of the {len(samples)} labels looked at "
            "counts; all are nodata or stand for 255 (ignored). Correct the dataset's label_codes"
        )
    return problems


def check_masks(loader: LoadRasters, samples: Sequence[Mapping]) -> tuple[list[str], list[str]]:
    """Say what does not fit the rule of the cloud masks, and what is odd about all of them."""
    problems, found, masked = [], set(), [s for s in samples if s.get("cloud_mask_path")]
    for sample in masked:
        try:
            mask, problem = loader.read_mask(sample, SampleGrid.of(sample))
        except DataError as error:
            problem = str(error)
        else:
            found.update(np.unique(mask).tolist())
        if problem:
            problems.append(problem)
    known = found & {CLOUD_FREE, CLOUDY}
    if problems or len(masked) < _FEW or len(known) == 2:
        return problems, []
    what = {CLOUD_FREE: "clear", CLOUDY: "cloudy"}.get(min(known, default=-1), "unknown")
    return [], [
        f"{masked[0]['cloud_mask_path']}: all pixels of the {len(masked)} cloud masks looked at "
        f"are {what}. Check the dataset's cloud_mask_codes or cloud_mask_threshold"
    ]

"""Which classes the labels of a dataset show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.dist import is_main_process
from tqdm import tqdm

from mmcloudseg.datasets.transforms.loading import LoadRasters
from mmcloudseg.datasets.transforms.sample_grid import SampleGrid
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

_SECONDS_WITHOUT_PROGRESS = 3


def classes_of_labels(samples: Sequence[Mapping]) -> dict[str, list[int]]:
    """Read whole labels, each file once; a progress bar appears if it takes some seconds.

    Args:
        samples: Samples of :class:`OpticalSARDataset`, with ``seg_map_path``.

    Returns:
        Path of a label -> indices of its classes, rising; ignored pixels do not count.

    Raises:
        DataError: Samples have no labels, or a label cannot be read.
    """
    unlabelled = [f"{s['img_path']}: no seg_map_path" for s in samples if "seg_map_path" not in s]
    if unlabelled:
        remedy = "Name the labels' folder as seg_map_path in data_prefix; classes are read there."
        raise DataError.from_problems("samples without a label", unlabelled, remedy)
    bar = tqdm(
        {sample["seg_map_path"]: sample for sample in samples}.items(),
        desc="classes of the labels",
        unit="label",
        delay=_SECONDS_WITHOUT_PROGRESS,
        disable=not is_main_process(),
    )
    with raster_session():
        return {path: _classes_of(sample) if path else [] for path, sample in bar}


def _classes_of(sample: Mapping) -> list[int]:
    found = np.unique(LoadRasters.load_label(sample, SampleGrid.of(sample)))
    return found[found != IGNORE_INDEX].tolist()

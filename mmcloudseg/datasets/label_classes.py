"""Which classes the labels of a dataset show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.dist import is_main_process
from tqdm import tqdm

from mmcloudseg.datasets.transforms.loading import class_indices
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.rasters.values import open_map
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

_SECONDS_WITHOUT_PROGRESS = 3


def classes_of_labels(samples: Sequence[Mapping]) -> dict[str, list[int]]:
    """Read whole labels, each file once; a progress bar appears if it takes some seconds.

    Args:
        samples: Samples of :class:`OpticalSARDataset`, with ``seg_map_path`` and, if there are
            any, ``label_codes``.

    Returns:
        Path of a label -> indices of its classes, rising; ignored pixels do not count.

    Raises:
        DataError: A sample has no label, or a label cannot be read.
    """
    unlabelled = [f"{s['img_path']}: no seg_map_path" for s in samples if "seg_map_path" not in s]
    if unlabelled:
        remedy = (
            "Name the labels' folder as seg_map_path in data_prefix, or do not balance classes."
        )
        raise DataError.from_problems("samples without a label", unlabelled, remedy)
    codes = {sample["seg_map_path"]: sample.get("label_codes") for sample in samples}
    bar = tqdm(
        codes.items(),
        desc="classes of the labels",
        unit="label",
        delay=_SECONDS_WITHOUT_PROGRESS,
        disable=not is_main_process(),
    )
    with raster_session():
        return {path: _classes_in(path, legend) for path, legend in bar}


def _classes_in(path: str, codes: Mapping[float, int] | None) -> list[int]:
    legend = codes or {code: code for code in range(IGNORE_INDEX + 1)}
    with open_map(path) as source:
        # As in LoadRasters: a code may be a class although the file declares it as nodata.
        nodata = None if source.nodata in legend else source.nodata
        values, missing = source.read(nodata=nodata)
    found = np.unique(class_indices(np.unique(values[~missing]), legend, path))
    return found[found != IGNORE_INDEX].tolist()

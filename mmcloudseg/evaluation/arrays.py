"""Files of arrays that a test writes in addition to its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcloudseg.evaluation.calibration import CONFIDENCE_BINS, ConfidenceHistogram
from mmcloudseg.evaluation.confusion import SampleConfusion
from mmcloudseg.utils.files import atomic_write

CONFUSION_FILE = "confusion.npz"
CALIBRATION_FILE = "calibration.npz"
_HISTOGRAM_PARTS = ("count", "correct", "confidence_sum")


def confusion_to_npz(
    samples: Sequence[SampleConfusion], classes: Sequence[str], path: str | Path
) -> None:
    """Write the confusion matrices of each sample, from which any subset can be scored.

    Args:
        samples: At least one sample.
        classes: Names of the K classes.
        path: The file. It contains ``names``, ``areas`` and ``cover`` (percent, NaN without a
            mask) of the n samples, ``matrices`` (int64, n x 3 x K x K: all, cloud-free, cloudy;
            rows are labels, columns predictions) and ``classes``.
    """
    arrays = dict(
        names=np.array([sample.name for sample in samples], dtype=np.str_),
        areas=np.array([sample.area for sample in samples], dtype=np.str_),
        cover=np.array([sample.cover for sample in samples], dtype=np.float64),
        matrices=np.stack([sample.matrices for sample in samples]).astype(np.int64),
        classes=np.array(classes, dtype=np.str_),
    )
    _save(arrays, path)


def calibration_to_npz(histograms: Mapping[str, ConfidenceHistogram], path: str | Path) -> None:
    """Write histograms of confidence.

    Args:
        histograms: Histograms by region.
        path: The file. It contains ``edges`` (of the bins, from 0 to 1) and for each region
            ``<region>_count``, ``<region>_correct`` and ``<region>_confidence_sum``.
    """
    arrays = dict(edges=np.arange(CONFIDENCE_BINS + 1) / CONFIDENCE_BINS)
    for region, histogram in histograms.items():
        arrays |= {f"{region}_{part}": getattr(histogram, part) for part in _HISTOGRAM_PARTS}
    _save(arrays, path)


def histogram_from_arrays(
    arrays: Mapping[str, np.ndarray], region: str
) -> ConfidenceHistogram | None:
    """Return the histogram of a region as ``calibration_to_npz`` wrote it; None without one."""
    names = [f"{region}_{part}" for part in _HISTOGRAM_PARTS]
    return ConfidenceHistogram(*(arrays[name] for name in names)) if names[0] in arrays else None


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read all arrays of a file, without unpickling objects.

    Raises:
        ValueError: The file does not exist, has another format, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:
        raise ValueError(
            f"'{path}' cannot be read as arrays ({str(error).splitlines()[0]}): test again with "
            "`tools/test.py … --out DIR`"
        ) from error


def _save(arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    # Through an open file, because NumPy would add a suffix to the temporary name.
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # none is "allow_pickle"

"""Reading whole datasets to find every file that would stop a training run."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from mmseg.registry import DATASETS

from mmcloudseg.clouds import cloud_cover
from mmcloudseg.datasets.content_checks import Ranges, check_contents
from mmcloudseg.datasets.header_checks import evenly_spaced, ground_problems, header_problems
from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.datasets.sample_lists import missing_files
from mmcloudseg.datasets.transforms import LoadRasters
from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.rasters.grids import resample
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

SPLITS = ("train", "val", "test")
COVER_BINS = 5
MAX_VALUE_CHECKS = 256
"""Samples whose values are compared with the model's ranges, evenly spaced."""


@dataclass
class Findings:
    """What reading a dataset found.

    ``label_pixels`` are counted on the label grid by class index, 255 for ignored ones; ``covers``
    are the cloud covers, 0 to 1, of the samples that have a mask. ``warnings`` are what is odd,
    but may be meant.
    """

    samples: int = 0
    classes: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    label_pixels: Counter[int] = field(default_factory=Counter)
    covers: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Samples, class shares and cloud cover, in a few lines."""
        lines = [f"{self.samples} samples, {len(self.problems)} problems"]
        labelled = sum(self.label_pixels.values())
        if labelled:
            names = {**dict(enumerate(self.classes)), IGNORE_INDEX: "(ignored)"}
            percent = {i: 100 * self.label_pixels[i] / labelled for i in names}
            shares = [f"{name} {percent[index]:.1f} %" for index, name in names.items()]
            lines.append("  label pixels: " + ", ".join(shares))
        covers = np.array(self.covers)
        covers = covers[np.isfinite(covers)]
        if covers.size:
            counts, edges = np.histogram(covers, bins=COVER_BINS, range=(0, 1))
            ranges = [f"{100 * a:.0f}-{100 * b:.0f} %" for a, b in itertools.pairwise(edges)]
            bins = ", ".join(f"{r} {count}" for r, count in zip(ranges, counts, strict=True))
            mean = f"{100 * covers.mean():.1f} % on average"
            lines.append(f"  cloud cover: {mean}; samples by cover: {bins}")
        return "\n".join(lines)


def leaf_datasets(config: Mapping, data_root: str | None = None) -> Iterator[tuple[str, dict]]:
    """Find the datasets of a whole config, also inside wrappers such as ``RepeatDataset``.

    Yields:
        The split's name and the dataset's config, with another ``data_root`` if one is given.
    """
    for split in SPLITS:
        loader = config.get(f"{split}_dataloader")
        for leaf in inner_datasets(loader["dataset"]) if loader else []:
            yield split, {**leaf, "data_root": data_root} if data_root else dict(leaf)


def verify(
    config: Mapping,
    progress: Callable[[Iterable[dict]], Iterable[dict]] = iter,
    ranges: Ranges | None = None,
) -> Findings:
    """Read every sample of a dataset, whole; problems with files are found, not raised.

    Args:
        config: The dataset's config. Of its pipeline only ``LoadRasters`` is run.
        progress: Wraps the iteration over samples, to show how far it is.
        ranges: Modality -> ``dict(low=…, high=…)`` of its bands, as the model scales them; None
            leaves the check of values out.

    Raises:
        TypeError: If the dataset or its pipeline is none of ours.
    """
    dataset = DATASETS.build({**config, "lazy_init": True})
    loaders = [t for t in dataset.pipeline.transforms if isinstance(t, LoadRasters)]
    if not isinstance(dataset, OpticalSARDataset) or not loaders:
        raise TypeError(
            f"{config['type']}: only OpticalSARDataset and its kind, with LoadRasters in the "
            "pipeline, can be verified"
        )
    findings = Findings(classes=tuple(dataset.metainfo.get("classes", ())))
    try:
        samples = dataset.list_samples()
    except DataError as error:
        findings.problems.append(str(error))
        return findings
    findings.samples = len(samples)
    for sample in progress(samples):
        _read(sample, loaders[0], findings)
    if ranges is not None and not findings.problems:
        chosen = evenly_spaced(len(samples), MAX_VALUE_CHECKS)
        report = check_contents(dataset, ranges, [samples[index] for index in chosen])
        findings.problems += report.problems
        findings.warnings += report.warnings
    return findings


def _read(sample: dict, loader: LoadRasters, findings: Findings) -> None:
    missing = [f"no such file: {line}" for line in missing_files([sample])]
    if missing:
        findings.problems += missing
        return
    with raster_session():
        problems = [*header_problems(sample), *ground_problems(sample)]
    findings.problems += problems
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", UserWarning)
            results = loader.transform(dict(sample))
    except DataError as error:
        # What the headers told already need not be said twice.
        if not problems:
            findings.problems.append(str(error))
        return
    findings.warnings += [str(w.message) for w in said if w.category is UserWarning]
    if "gt_seg_map" in results:
        label = resample(results["gt_seg_map"], results["ori_shape"])
        indices, counts = np.unique(label, return_counts=True)
        findings.label_pixels.update(dict(zip(indices.tolist(), counts.tolist(), strict=True)))
    if "gt_cloud_mask" in results:
        findings.covers.append(cloud_cover(results["gt_cloud_mask"]))

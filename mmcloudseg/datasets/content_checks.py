"""Checks of what is in a dataset's files, on evenly spaced samples, before a run starts."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmcloudseg.datasets.header_checks import evenly_spaced
from mmcloudseg.datasets.map_checks import check_labels, check_masks
from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.datasets.transforms.loading import PATH_KEYS, LoadRasters
from mmcloudseg.rasters.band_names import file_band_names, unread_names
from mmcloudseg.rasters.reading import open_raster, raster_session
from mmcloudseg.rasters.sampling import NoValidPixelError, OneValueError, sample_values
from mmcloudseg.rasters.sentinel2 import unsaid_offset
from mmcloudseg.rasters.value_checks import check_values
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.text import shorten_list

CHECKED_SAMPLES = 16
_MAJORITY = 0.5
Ranges = Mapping[str, Mapping[str, Sequence[float]]]


@dataclass
class ContentReport:
    """What is wrong with the samples that were looked at.

    Attributes:
        problems: What must not be trained or tested on.
        warnings: What is odd, but may be meant.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_contents(
    dataset: OpticalSARDataset, ranges: Ranges, samples: Sequence[Mapping] | None = None
) -> ContentReport:
    """Look at images, masks and labels of some samples of a dataset.

    Args:
        dataset: The dataset, built, with :class:`LoadRasters` in its pipeline; others pass.
        ranges: Modality -> ``dict(low=…, high=…)`` of its bands, as the model scales them; images
            of other modalities are not compared with a range.
        samples: The samples to look at; by default some, evenly spaced.
    """
    report = ContentReport()
    loaders = [t for t in _transforms(dataset) if isinstance(t, LoadRasters)]
    if not isinstance(dataset, OpticalSARDataset) or not loaders:
        return report
    if samples is None:
        chosen = evenly_spaced(len(dataset), CHECKED_SAMPLES)
        samples = [dataset.get_data_info(index) for index in chosen]
    report.problems += dataset.ground_problems
    loader = loaders[0]
    with raster_session(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        for modality in loader.modalities:
            _check_images(loader, samples, modality, ranges, report)
        if loader.with_label:
            report.problems += check_labels(loader, samples)
        if loader.with_mask:
            problems, odd = check_masks(loader, samples)
            report.problems += problems
            report.warnings += odd
    _check_settings(dataset, report)
    texts = (str(w.message) for w in said if w.category is UserWarning)
    report.warnings += dict.fromkeys(texts)
    return report


def _transforms(dataset: Any) -> Sequence[Any]:
    return getattr(getattr(dataset, "pipeline", None), "transforms", ())


def _check_images(
    loader: LoadRasters,
    samples: Sequence[Mapping],
    modality: str,
    ranges: Ranges,
    report: ContentReport,
) -> None:
    group = "sar" if modality == "sar" else "optical"
    found: dict[tuple[str, bool], list[str]] = defaultdict(list)
    first: dict[str, str] = {}
    looked_at = 0
    for sample in samples:
        path = sample.get(PATH_KEYS[modality])
        if not path:
            if path == "" and group not in sample.get("allow_missing", ()):
                kind = f"no {modality} image"
                found[kind, True].append(sample["img_path"])
                first.setdefault(kind, _missing_text(sample["img_path"], group))
            continue
        looked_at += 1
        for kind, text, fatal in _findings(loader, sample, modality, ranges.get(group)):
            found[kind, fatal].append(path)
            first.setdefault(kind, text)
    for (kind, fatal), paths in found.items():
        count = f" ({len(paths)} of {len(samples)} samples looked at: {shorten_list(paths, 3)})"
        # A unit is that of a data set; a single image may be odd by what it shows.
        certain = fatal and (kind != "unit" or len(paths) >= _MAJORITY * looked_at)
        (report.problems if certain else report.warnings).append(first[kind] + count)


def _findings(
    loader: LoadRasters, sample: Mapping, modality: str, limits: Mapping | None
) -> Iterator[tuple[str, str, bool]]:
    """Kind, text and whether it is fatal, of what is odd about one image."""
    path, rules = sample[PATH_KEYS[modality]], loader.rules(sample, modality)
    group = rules.modality
    try:
        with open_raster(path) as source:
            reader, names = rules.open(source), file_band_names(source)
            problem = None
            if group == "optical" and not (rules.radiometry and rules.radiometry.stated):
                problem = unsaid_offset(reader)
            if problem:
                yield "offset", problem, True
            values = sample_values(reader, f"an image of {group}")
    except NoValidPixelError:
        if group not in sample.get("allow_missing", ()):
            yield f"no {modality} image", _missing_text(path, group), True
        return
    except DataError as error:
        yield str(error).replace(path, ""), str(error), not isinstance(error, OneValueError)
        return
    unread = unread_names(names, rules.names, path)
    if unread:
        yield "names", unread, False
    if limits and len(limits["low"]) != len(values.values):
        text = (
            f"{path}: {len(values.values)} bands are read, but model.data_preprocessor.{group} "
            f"has ranges for {len(limits['low'])}. Give it one low and high for each band"
        )
        yield "counts", text, True
    elif limits:
        for finding in check_values(values, limits["low"], limits["high"], group):
            yield finding.kind, f"{path}: {finding.text}", finding.fatal


def _missing_text(path: str, group: str) -> str:
    return (
        f"{path}: the sample has no {group} image, or one without a valid pixel. State "
        f"allow_missing=['{group}'] in the dataset if samples may lack it, or take them off the "
        "list"
    )


def _check_settings(dataset: OpticalSARDataset, report: ContentReport) -> None:
    if not dataset.metainfo.get("classes"):
        report.problems.append(
            f"{dataset.data_root or dataset.data_prefix}: the dataset's metainfo names no "
            "classes. Set metainfo=dict(classes=(…), palette=[…]) in its config"
        )
    simulated = dataset.settings.clouds == "simulated" and dataset.settings.optical == "cloudy"
    names = [type(step).__name__ for step in _transforms(dataset)]
    if simulated and "SimulateClouds" not in names:
        report.problems.append(
            f"{dataset.data_root}: clouds='simulated', but no SimulateClouds in the pipeline "
            "draws them. Add it after LoadRasters, or leave clouds out"
        )

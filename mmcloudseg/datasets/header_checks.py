"""Checks of a sample's files that need their headers only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.datasets.settings import radiometry_of
from mmcloudseg.rasters.alignment import grid_problem, ground_problem, share_inside
from mmcloudseg.rasters.band_names import file_band_names
from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.reading import RasterHeader, open_raster, raster_session, read_header
from mmcloudseg.utils.errors import DataError

BAND_GROUPS = dict(img_path="optical", cloud_free_path="optical", sar_path="sar")
SCALES = dict(sar_path="sar_scale", seg_map_path="label_scale", cloud_mask_path="cloud_mask_scale")
"""Path key -> the sample's key for its pixels per optical pixel."""


def evenly_spaced(count: int, wanted: int) -> list[int]:
    """Indices of ``wanted`` of ``count`` samples, evenly spaced; all if there are fewer."""
    wanted = min(wanted, count)
    return [index * count // wanted for index in range(wanted)]


def band_counts(sample: Mapping[str, str]) -> dict[str, int]:
    """How many bands a sample's optical and SAR files have, as far as they can be read."""
    counts = {}
    with raster_session():
        for key in ("img_path", "sar_path"):
            if sample.get(key):
                with suppress(DataError):
                    counts[BAND_GROUPS[key]] = read_header(sample[key]).count
    return counts


def band_names(sample: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What a sample's optical and SAR files call their bands, where they name all of them."""
    names = {}
    with raster_session():
        for key in ("img_path", "sar_path"):
            if sample.get(key):
                with suppress(DataError), open_raster(sample[key]) as source:
                    names[BAND_GROUPS[key]] = file_band_names(source)
    return {group: found for group, found in names.items() if all(found)}


def header_problems(sample: Mapping) -> list[str]:
    """Check one sample's files against each other; each problem is a line that names the file.

    All files must be readable to their end; bands must be as many as declared, and those that are
    named; types must be real numbers; tags must not contradict the radiometry; and numbers of
    pixels and reference systems must fit unless the files are warped.
    """
    headers: dict[str, RasterHeader] = {}
    problems = []
    for key in MODALITY_NAMES:
        if sample.get(key):
            try:
                headers[key] = read_header(sample[key], probe=True)
                if key in BAND_GROUPS:
                    _check_image(sample, key)
                elif headers[key].count != 1:
                    problems.append(f"{sample[key]}: has {headers[key].count} band(s), expected 1")
            except DataError as error:
                problems.append(str(error))
    problems += _grid_problems(sample, headers)
    return problems


def ground_problems(sample: Mapping) -> list[str]:
    """Say which of a sample's files lie on other ground than its optical image.

    These are listed apart: the samples can be looked at, but nobody wants to train on them. Files
    that are warped have to overlap it; files that cannot be read are left out.
    """
    headers: dict[str, RasterHeader] = {}
    with suppress(DataError):
        for key in MODALITY_NAMES:
            if sample.get(key):
                headers[key] = read_header(sample[key])
    optical = headers.pop("img_path", None)
    if optical is None:
        return []
    told = _outside if sample.get("align") == "warp" else ground_problem
    found = [told(optical, header) for header in headers.values()]
    return [problem for problem in found if problem]


def _outside(optical: RasterHeader, other: RasterHeader) -> str | None:
    here, there = optical.grid, other.grid
    if here is None or there is None or here.crs is None or there.crs is None:
        return None
    if share_inside(here, there) > 0 or share_inside(there, here) > 0:
        return None
    return f"{other.path}: does not overlap {optical.path}. Pair the files of one place"


def _check_image(sample: Mapping, key: str) -> None:
    group = BAND_GROUPS[key]
    rules = ImageRules(
        modality=group,
        names=(sample.get("band_names") or {}).get(group, ()),
        count=sample.get("band_counts", {}).get(group),
        radiometry=radiometry_of(sample, group),
    )
    with open_raster(sample[key]) as source:
        rules.open(source)


def _grid_problems(sample: Mapping, headers: Mapping[str, RasterHeader]) -> Iterator[str]:
    optical = headers.get("img_path")
    if optical is None:
        return
    for key, header in headers.items():
        if key == "img_path":
            continue
        if sample.get("align") == "warp":
            if header.transform is None and not header.path.endswith(".npy"):
                yield f"{header.path}: has no georeference, which align='warp' needs"
            continue
        problem = grid_problem(
            optical, header, sample.get(SCALES.get(key, ""), None if key in SCALES else 1.0)
        )
        if problem:
            yield problem

"""Checks of a sample's files that need their headers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.rasters.grids import scaled_shape
from mmcloudseg.rasters.reading import RasterHeader, raster_session, read_header
from mmcloudseg.utils.errors import DataError

BAND_GROUPS = dict(img_path="optical", cloud_free_path="optical", sar_path="sar")


def evenly_spaced(count: int, wanted: int) -> Sequence[int]:
    """Indices of ``wanted`` of ``count`` samples, evenly spaced; all if there are fewer."""
    if wanted >= count:
        return range(count)
    return [index * count // wanted for index in range(wanted)]


def band_counts(sample: Mapping[str, str]) -> dict[str, int]:
    """How many bands a sample's optical and SAR files have, as far as they can be read."""
    counts = {}
    with raster_session():
        for key in ("img_path", "sar_path"):
            if key in sample:
                with suppress(DataError):
                    counts[BAND_GROUPS[key]] = read_header(sample[key]).count
    return counts


def header_problems(sample: Mapping) -> list[str]:
    """Check one sample's files against each other.

    All files must be readable to their end; bands must be as many as declared; the cloud-free
    image and the mask must have the optical image's size, SAR and label that size times their
    scale; reference systems must be the same; origins may differ by half a label pixel.

    Args:
        sample: A dataset's data_info.

    Returns:
        One line for each problem, naming the file.
    """
    headers: dict[str, RasterHeader] = {}
    problems = []
    for key in MODALITY_NAMES:
        if key in sample:
            try:
                headers[key] = read_header(sample[key], probe=True)
            except DataError as error:
                problems.append(str(error))
    problems += _band_problems(headers, sample.get("band_counts", {}))
    if "img_path" in headers:
        optical = headers["img_path"]
        scales = dict(sar_path=sample["sar_scale"], seg_map_path=sample["label_scale"])
        for key, header in headers.items():
            if key != "img_path":
                problems += _grid_problems(optical, header, scales.get(key, 1.0), sample)
    return problems


def _band_problems(headers: Mapping[str, RasterHeader], counts: Mapping[str, int]) -> list[str]:
    expected = {key: counts.get(group) for key, group in BAND_GROUPS.items()}
    expected.update(seg_map_path=1, cloud_mask_path=1)
    found = {key: len(header.image_bands(expected[key])) for key, header in headers.items()}
    return [
        f"{header.path}: has {found[key]} band(s), expected {expected[key]}"
        for key, header in headers.items()
        if expected[key] is not None and found[key] != expected[key]
    ]


def _grid_problems(
    optical: RasterHeader, other: RasterHeader, scale: float, sample: Mapping
) -> list[str]:
    problems = []
    shape = scaled_shape(optical.shape, scale)
    if tuple(other.shape) != shape:
        problems.append(
            f"{other.path}: has {other.shape[0]} x {other.shape[1]} pixels, expected {shape[0]} x "
            f"{shape[1]} ({scale:g} x those of {optical.path})"
        )
    if optical.crs and other.crs and optical.crs != other.crs:
        problems.append(f"{other.path}: is in {other.crs}, but {optical.path} in {optical.crs}")
    else:
        problems += _origin_problems(optical, other, sample["label_scale"])
    return problems


def _origin_problems(optical: RasterHeader, other: RasterHeader, label_scale: float) -> list[str]:
    here, there = optical.transform, other.transform
    if here is None or there is None:
        return []
    pixel = abs(here.a), abs(here.e)
    shift = abs(there.c - here.c), abs(there.f - here.f)
    allowed = tuple(0.5 * size / label_scale for size in pixel)
    if shift[0] <= allowed[0] and shift[1] <= allowed[1]:
        return []
    return [
        f"{other.path}: starts {shift[0]:g} east-west and {shift[1]:g} north-south (map units) "
        f"from {optical.path}; at most half a label pixel, {allowed[0]:g} and {allowed[1]:g}, "
        "is allowed"
    ]

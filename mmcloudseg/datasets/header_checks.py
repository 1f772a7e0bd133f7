"""Checks of a sample's files that need their headers only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.rasters.grids import scaled_shape
from mmcloudseg.rasters.reading import RasterHeader, raster_session, read_header
from mmcloudseg.utils.errors import DataError

BAND_GROUPS = dict(img_path="optical", cloud_free_path="optical", sar_path="sar")


def evenly_spaced(count: int, wanted: int) -> list[int]:
    """Indices of ``wanted`` of ``count`` samples, evenly spaced; all if there are fewer."""
    wanted = min(wanted, count)
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
    """Check one sample's files against each other; each problem is a line that names the file.

    All files must be readable to their end; bands must be as many as declared; the cloud-free
    image and the mask must have the optical image's size, SAR and label that size times their
    scale; reference systems must be the same; origins may differ by half a label pixel.
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
    optical = headers.pop("img_path", None)
    if optical is not None:
        scales = dict(sar_path=sample["sar_scale"], seg_map_path=sample["label_scale"])
        for key, header in headers.items():
            problems += _grid_problems(
                optical, header, scales.get(key, 1.0), sample["label_scale"]
            )
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
    optical: RasterHeader, other: RasterHeader, scale: float, label_scale: float
) -> Iterator[str]:
    shape = scaled_shape(optical.shape, scale)
    if tuple(other.shape) != shape:
        yield (
            f"{other.path}: has {other.shape[0]} x {other.shape[1]} pixels, expected {shape[0]} x "
            f"{shape[1]} ({scale:g} x those of {optical.path})"
        )
    if optical.crs and other.crs and optical.crs != other.crs:
        yield f"{other.path}: is in {other.crs}, but {optical.path} in {optical.crs}"
    elif optical.transform is not None and other.transform is not None:
        here, there = optical.transform, other.transform
        shift = abs(there.c - here.c), abs(there.f - here.f)
        allowed = 0.5 * abs(here.a) / label_scale, 0.5 * abs(here.e) / label_scale
        if not (shift[0] <= allowed[0] and shift[1] <= allowed[1]):
            yield (
                f"{other.path}: starts {shift[0]:g} east-west and {shift[1]:g} north-south (map "
                f"units) from {optical.path}; at most half a label pixel, {allowed[0]:g} and "
                f"{allowed[1]:g}, is allowed"
            )

"""How the grids of a sample's files fit: scales, warping, crops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from rasterio.errors import RasterioError
from rasterio.warp import calculate_default_transform, transform_bounds

from mmcloudseg.datasets.header_checks import SCALES
from mmcloudseg.rasters.alignment import grid_problem, ground_problem
from mmcloudseg.rasters.grids import scaled_shape
from mmcloudseg.rasters.reading import RasterHeader, raster_session, read_header
from mmcloudseg.utils.errors import DataError

_STRIDE = 32  # of the networks' coarsest features
_LEAST = 128  # side of the smallest input that CloudSeg takes (MIN_SIZE of its backbones)
_SMALL_DENOMINATOR = 50
_COVERED = 0.99
Sample = Mapping[str, str]


@dataclass
class Grids:
    """What the grids of all samples ask of the config.

    Attributes:
        warp: Whether files have to be warped to the optical image's grid.
        scales: The dataset's ``label_scale``, ``sar_scale`` and ``cloud_mask_scale``, as far as
            they have to be stated.
        headers: Of the optical images, by sample.
        described: Path key -> sizes, pixel sizes and reference systems in words.
        notes: What is odd.
    """

    warp: bool = False
    scales: dict[str, Fraction] = field(default_factory=dict)
    headers: dict[str, RasterHeader] = field(default_factory=dict)
    described: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def smallest_side(self) -> int:
        """Pixels of the shortest side of any optical image."""
        return min(min(header.shape) for header in self.headers.values())

    @property
    def label_scale(self) -> Fraction:
        """Label pixels per optical pixel, at most 1."""
        return min(self.scales.get("label_scale", Fraction(1)), Fraction(1))

    def crop(self, wanted: int) -> tuple[int, int]:
        """Side of a training crop and the step of its place, both whole label pixels.

        The side is the largest multiple of the networks' stride up to ``wanted``, as far as images
        and label pixels allow.

        Raises:
            DataError: If no side that the networks accept fits into the images.
        """
        step = self.label_scale.denominator
        for unit in (math.lcm(step, _STRIDE), step):
            sides = [side for side in range(unit, self.smallest_side + 1, unit) if side >= _LEAST]
            if sides:
                return max([side for side in sides if side <= wanted], default=sides[0]), step
        smallest = min(self.headers.values(), key=lambda header: min(header.shape))
        raise DataError(
            f"{smallest.path}: has {smallest.shape[0]} x {smallest.shape[1]} pixels, but CloudSeg "
            f"needs crops of {_LEAST} x {_LEAST} or more, in whole label pixels ({step} pixels "
            "each). Give it larger images, or leave small ones out."
        )


def fit_grids(samples: Mapping[str, Sample]) -> Grids:
    """Compare the headers of all samples' files.

    Raises:
        DataError: If files do not fit and cannot be warped, because they have no georeference.
    """
    with raster_session():
        headers = {
            name: {key: read_header(path) for key, path in sample.items()}
            for name, sample in samples.items()
        }
    grids = Grids(headers={name: files["img_path"] for name, files in headers.items()})
    keys = [key for key in next(iter(samples.values())) if key != "img_path"]
    problems = [line for key in keys for line in _unfit(key, headers, grids)]
    if problems:
        _warp(headers, keys, problems, grids)
    for key in ("img_path", *keys):
        grids.described[key] = _described([files[key] for files in headers.values()])
    if any(header.crs is None for header in grids.headers.values()):
        grids.notes.append(
            "optical images without a reference system: whether all files of a sample show the "
            "same ground cannot be checked, and neighbours are not told from others"
        )
    return grids


def _unfit(key: str, headers: Mapping[str, Mapping[str, RasterHeader]], grids: Grids) -> list[str]:
    """Find the scale of a modality; say which files fit by no scale that all share."""
    pairs = [(files["img_path"], files[key]) for files in headers.values()]
    ratios = Counter(_ratio(optical, other) for optical, other in pairs)
    scale = ratios.most_common(1)[0][0]
    if key == "cloud_free_path" and scale != 1:
        scale = Fraction(1)
    if scale is None:
        return [f"{pairs[0][1].path}: has another shape than {pairs[0][0].path}"]
    found = [
        grid_problem(optical, other, float(scale)) or ground_problem(optical, other)
        for optical, other in pairs
    ]
    problems = [problem for problem in found if problem]
    located = all(optical.grid and other.grid for optical, other in pairs)
    if key in SCALES and scale != 1 and (key == "seg_map_path" or not located):
        grids.scales[SCALES[key]] = scale
    return problems


def _ratio(optical: RasterHeader, other: RasterHeader) -> Fraction | None:
    """Pixels per optical pixel: the simple fraction that gives the shape; None without one."""
    ratio = Fraction(other.shape[0], optical.shape[0]).limit_denominator(_SMALL_DENOMINATOR)
    fits = ratio and scaled_shape(optical.shape, float(ratio)) == tuple(other.shape)
    return ratio if fits else None


def _warp(
    headers: Mapping[str, Mapping[str, RasterHeader]],
    keys: Sequence[str],
    problems: Sequence[str],
    grids: Grids,
) -> None:
    for files in headers.values():
        for header in files.values():
            if (header.crs is None or header.grid is None) and not header.path.endswith(".npy"):
                raise DataError.from_problems(
                    "files whose grids do not fit",
                    problems,
                    f"{header.path} has no reference system by which files could be warped: give "
                    "it one with gdal_edit -a_srs … -a_ullr …, or cut the files to one ground.",
                )
    grids.warp = True
    grids.scales = {}
    label = [_warped_ratio(files["img_path"], files["seg_map_path"]) for files in headers.values()]
    scale = min(Fraction(float(np.median(label))).limit_denominator(10), Fraction(1))
    if scale and scale != 1:
        grids.scales["label_scale"] = scale
    for key in keys:
        located = {name: files for name, files in headers.items() if files[key].grid}
        partly = [name for name, files in located.items()
                  if _covered(files["img_path"], files[key]) < _COVERED]  # fmt: skip
        if partly:
            grids.notes.append(
                f"{key.removesuffix('_path')}: does not cover all of the optical image in "
                f"{len(partly)} samples, such as {partly[0]}"
            )


def _warped_ratio(optical: RasterHeader, other: RasterHeader) -> float:
    """Pixels of a raster per optical pixel, by their sizes on the optical image's map."""
    rows, columns = other.shape
    transform, _, _ = calculate_default_transform(
        other.crs, optical.crs, columns, rows, *_bounds(other)
    )
    assert optical.transform is not None  # georeferenced
    here, there = (math.sqrt(abs(t.determinant)) for t in (optical.transform, transform))
    return here / there


def _bounds(header: RasterHeader) -> tuple[float, float, float, float]:
    assert header.grid is not None  # georeferenced
    places = ((0, 0), (header.grid.width, 0), (0, header.grid.height),
              (header.grid.width, header.grid.height))  # fmt: skip
    corners = np.array([header.grid.at(*place) for place in places])
    return (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())


def _covered(optical: RasterHeader, other: RasterHeader) -> float:
    """Share of the optical image's extent that another file's extent covers."""
    left, bottom, right, top = _bounds(optical)
    try:
        there = transform_bounds(other.crs, optical.crs, *_bounds(other))
    except RasterioError:
        return 0.0
    width = min(right, there[2]) - max(left, there[0])
    height = min(top, there[3]) - max(bottom, there[1])
    return max(width, 0) * max(height, 0) / ((right - left) * (top - bottom))


def _described(headers: Sequence[RasterHeader]) -> str:
    shapes = Counter(f"{h.shape[0]} x {h.shape[1]}" for h in headers)
    sizes = Counter(f"{abs(h.transform.a):.6g}" for h in headers if h.transform)
    systems = Counter(str(h.crs) for h in headers if h.crs)
    parts = [_most_common(shapes, "sizes")]
    parts.append(f"pixels of {_most_common(sizes, 'sizes')}" if sizes else "no georeference")
    if systems:
        parts.append(_most_common(systems, "reference systems"))
    return ", ".join(parts)


def _most_common(found: Counter[str], noun: str) -> str:
    (text, _), *others = found.most_common()
    return f"{text} (and {len(others)} more {noun})" if others else text

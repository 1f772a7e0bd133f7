"""Training, validation and test samples: neighbours on the ground stay together."""

from __future__ import annotations

import fnmatch
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from rasterio.warp import transform
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mmcloudseg.rasters.reading import RasterHeader
from mmcloudseg.utils.errors import DataError

SPLITS = ("train", "val", "test")
FRACTIONS = (0.8, 0.1, 0.1)
NEAR = 1.5
"""Samples are neighbours if their centres lie fewer than this many image sides apart."""
_EARTH_M = 6_371_000
_FOLDERS = {"train": "train", "training": "train", "val": "val", "valid": "val",
            "validation": "val", "test": "test", "testing": "test"}  # fmt: skip


def split(
    samples: Mapping[str, Mapping[str, str]],
    headers: Mapping[str, RasterHeader],
    fractions: Sequence[float] = FRACTIONS,
    together: Sequence[Sequence[str]] = (),
) -> tuple[dict[str, list[str]], str]:
    """Split samples.

    Args:
        samples: Name -> path key -> path.
        headers: Headers of their optical images.
        fractions: Shares of the splits.
        together: Lists of names, or of patterns such as ``north_*``, that stay in one split.

    Returns:
        Split -> names; and the rule in words.

    Raises:
        DataError: If there are fewer groups of neighbours than splits, or a name is unknown.
    """
    names = list(samples)
    stated = _by_folder(samples)
    if stated:
        return stated, "by the folders train, val and test"
    positions, sides, plan = _on_ground(headers, names)
    groups = _groups(names, positions, sides, _merged(names, together))
    largest = max(groups, key=len)
    if len(largest) > len(names) / 2 and len(names) > len(SPLITS):
        cut, axis = _strips(names, plan, fractions)
        return cut, (
            f"most samples are neighbours: cut at the fractions from {axis}; those along the cuts "
            "have neighbours in another split"
        )
    wanted = [s for s, fraction in zip(SPLITS, fractions, strict=True) if fraction > 0]
    if len(groups) < len(wanted):
        raise DataError(
            f"{len(groups)} group(s) of neighbouring samples cannot be split into "
            f"{', '.join(wanted)}. Cut large images into tiles, or leave a split empty by "
            "--fractions."
        )
    rule = (
        "drawn for test, then for val, in the order of a hash of the names; samples whose centres "
        f"lie fewer than {NEAR:g} image sides apart stay together"
    )
    if np.isnan(positions).any():
        rule += " (as far as they have a georeference)"
    return _drawn(groups, len(names), fractions), rule


def _by_folder(samples: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    for name, sample in samples.items():
        parts = sample["img_path"].lower().split("/")[:-1]
        split_name = next((_FOLDERS[part] for part in parts if part in _FOLDERS), None)
        if split_name is None:
            return None
        found[split_name].append(name)
    return found if found["train"] and (found["val"] or found["test"]) else None


def _on_ground(
    headers: Mapping[str, RasterHeader], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where samples lie; NaN without a georeference.

    Returns:
        Centres, n x 3, in metres from the middle of the earth, or map units; longest sides, n; and
        centres as on a map, n x 2, eastwards and northwards.
    """
    positions, plan = np.full((len(names), 3), np.nan), np.full((len(names), 2), np.nan)
    sides = np.zeros(len(names))
    for row, name in enumerate(names):
        grid = headers[name].grid
        if grid is None:
            continue
        places = [grid.at(grid.width / 2, grid.height / 2), grid.at(0, 0), grid.at(grid.width, 0),
                  grid.at(0, grid.height)]  # fmt: skip
        points = np.array([(*place, 0.0) for place in places])
        plan[row] = points[0, :2]
        if grid.crs:
            longitude, latitude = np.radians(transform(grid.crs, "EPSG:4326", *points[:, :2].T))
            plan[row] = longitude[0], latitude[0]
            points = _EARTH_M * np.stack(
                [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                 np.sin(latitude)], axis=1,
            )  # fmt: skip
        positions[row] = points[0]
        sides[row] = max(np.linalg.norm(points[2:] - points[1], axis=1))
    if any(header.crs for header in headers.values()):
        # One factor for all, so that the order of longitudes is kept.
        plan[:, 0] *= np.cos(np.nanmean(plan[:, 1]))
    return positions, sides, plan


def _merged(names: Sequence[str], together: Sequence[Sequence[str]]) -> list[list[int]]:
    merged = []
    for patterns in together:
        matched = []
        for pattern in patterns:
            found = [i for i, name in enumerate(names) if fnmatch.fnmatch(name, pattern.lower())]
            if not found:
                raise DataError(
                    f"--together: no sample is called '{pattern}'; names are such as "
                    f"{', '.join(names[:3])}."
                )
            matched += found
        merged.append(matched)
    return merged


def _groups(
    names: Sequence[str], positions: np.ndarray, sides: np.ndarray, merged: list[list[int]]
) -> list[list[str]]:
    located = np.flatnonzero(~np.isnan(positions[:, 0]))
    edges = [(rows[0], row) for rows in merged for row in rows]
    if len(located):
        reach = NEAR * float(sides[located].max())
        pairs = cKDTree(positions[located]).query_pairs(reach)
        edges += [(int(located[a]), int(located[b])) for a, b in pairs]
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(names),) * 2)
    labels = connected_components(graph, directed=False)[1]
    groups = defaultdict(list)
    for name, label in zip(names, labels.tolist(), strict=True):
        groups[label].append(name)
    return list(groups.values())


def _drawn(
    groups: list[list[str]], count: int, fractions: Sequence[float]
) -> dict[str, list[str]]:
    left = sorted(groups, key=lambda group: hashlib.sha256(group[0].encode()).digest())
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    for name, fraction in (("test", fractions[2]), ("val", fractions[1])):
        if fraction > 0:
            room = max(round(fraction * count), 1)
            for group in list(left):
                if len(found[name]) + len(group) <= room:
                    found[name] += group
                    left.remove(group)
            if not found[name]:
                found[name] = min(left, key=len)
                left.remove(found[name])
    found["train"] = [name for group in left for name in group]
    return {name: sorted(members) for name, members in found.items()}


def _strips(
    names: Sequence[str], plan: np.ndarray, fractions: Sequence[float]
) -> tuple[dict[str, list[str]], str]:
    """Cut a cluster of neighbours across its longer side; samples of one place stay together."""
    axis = int(np.argmax(np.nanmax(plan, axis=0) - np.nanmin(plan, axis=0)))
    places = np.nan_to_num(plan[:, axis], nan=np.nanmin(plan[:, axis]))
    ends = np.cumsum([round(fraction * len(names)) for fraction in fractions])[:2]
    cuts = np.append(np.sort(places), np.inf)[ends]
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    for name, place in zip(names, places, strict=True):
        found[SPLITS[int(np.searchsorted(cuts, place, side="right"))]].append(name)
    empty = [split for split, share in zip(SPLITS, fractions, strict=True)
             if share > 0 and not found[split]]  # fmt: skip
    if empty:
        raise DataError(
            f"no sample is left for {', '.join(empty)}: most of the {len(names)} samples show one "
            "place. Add samples of other places, or leave a split empty by --fractions."
        )
    return found, ("west to east", "south to north")[axis]

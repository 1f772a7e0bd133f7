"""Everything that is wrong with a published tree of WHU-OPT-SAR, in one report."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rasterio.profiles import Profile
from rasterio.windows import Window
from tqdm import tqdm

from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, PublishedScene
from mmcloudseg.datasets.conversion.whu_tree import Problem, PublishedTree
from mmcloudseg.datasets.conversion.workers import Workers
from mmcloudseg.datasets.whu_opt_sar import LABEL_CODES
from mmcloudseg.rasters.reading import open_raster, raster_session
from mmcloudseg.utils.errors import DataError

PUBLISHED_SHAPE = (3704, 5556)
BANDS = dict(optical=4, sar=1, label=1)
BAND_NAMES = dict(
    optical="red, green, blue, near infrared", sar="backscatter", label="label codes"
)
PIXEL_TYPE = "uint8"
ROWS_AT_ONCE = 512
# An image in place of a label has more unknown codes than this.
MANY_CODES = 20


def check_tree(tree: PublishedTree, workers: Workers, settings: ConversionSettings) -> None:
    """Check everything that would stop the conversion, before it begins.

    Raises:
        DataError: If anything is wrong; the message lists all of it.
    """
    scenes = [scene for scene in tree.scenes if scene.files]
    check = functools.partial(check_scene, settings=settings)
    bar = tqdm(
        workers.map(check, scenes),
        "checking",
        len(scenes),
        unit="scene",
        disable=not settings.progress,
        dynamic_ncols=True,
    )
    found = [problem for result in bar for problem in result]
    problems = [*tree.problems, *sorted(found, key=lambda problem: problem.scene)]
    if problems:
        raise DataError(_report(tree.root, problems))


def _report(root: Path, problems: Sequence[Problem]) -> str:
    """All problems in one text; scenes that share a problem share a line."""
    groups: dict[str, list[str]] = {}
    for problem in problems:
        groups.setdefault(problem.what, []).extend([problem.scene] if problem.scene else [])
    lines = [f"{root}: {len(problems)} problem(s) with the published set:"]
    for what, scenes in groups.items():
        count = f" ({len(scenes)} scenes)" if len(scenes) > 1 else ""
        lines.append(f"  - {what}{': ' if scenes else ''}{', '.join(scenes)}{count}")
    lines.append(
        "Nothing was written. Copy or download the named files again, correct the lists, and run "
        "the same command again; --subset takes a part of the set, or scenes of other sizes."
    )
    return "\n".join(lines)


def check_scene(scene: PublishedScene, settings: ConversionSettings) -> list[Problem]:
    """Check the files of one scene against the published set and against each other."""
    problems, headers = [], {}
    with raster_session():
        for modality, path in scene.files.items():
            try:
                headers[modality] = _read_to_the_end(path)
            except DataError as error:
                problems.append(Problem(str(error)))
        found = [*_band_problems(headers), *_shape_problems(headers, settings)]
        if "label" in headers and headers["label"]["count"] == 1:
            try:
                found += _code_problems(_label_codes(scene.files["label"]))
            except DataError as error:
                problems.append(Problem(str(error)))
    return [*problems, *(Problem(what, scene.name) for what in found)]


def _read_to_the_end(path: str) -> Profile:
    with open_raster(path) as source:
        corner = Window(source.width - 1, source.height - 1, 1, 1)
        # Band by band: in files that store them one after another, only the last is at the end.
        for band in range(1, source.count + 1):
            source.read(band, window=corner)
        return source.profile


def _band_problems(headers: Mapping[str, Profile]) -> Iterator[str]:
    counts = {modality: header["count"] for modality, header in headers.items()}
    for other in ("sar", "label"):
        if counts.get("optical") == BANDS[other] and counts.get(other) == BANDS["optical"]:
            yield (
                f"{FOLDERS['optical']}/ and {FOLDERS[other]}/ look swapped: "
                f"{counts.pop('optical')} band in the first, {counts.pop(other)} in the second"
            )
    for modality, count in counts.items():
        if count != BANDS[modality]:
            yield (
                f"{FOLDERS[modality]}/: {count} band(s), expected {BANDS[modality]} "
                f"({BAND_NAMES[modality]})"
            )
    for modality, header in headers.items():
        if header["dtype"] != PIXEL_TYPE:
            yield f"{FOLDERS[modality]}/: pixels of {header['dtype']}, expected {PIXEL_TYPE}"


def _shape_problems(headers: Mapping[str, Profile], settings: ConversionSettings) -> Iterator[str]:
    shapes = {name: (header["height"], header["width"]) for name, header in headers.items()}
    expected = None if settings.subset else PUBLISHED_SHAPE
    if "optical" in shapes:
        optical = shapes["optical"]
        found = f"{FOLDERS['optical']}/: {_text(optical)} pixels"
        smallest = max(settings.tile_sizes)
        if min(optical) < smallest:
            yield (
                f"{found}, smaller than a tile of {smallest} x {smallest}; choose a smaller "
                "--tile-size"
            )
        if expected not in (None, optical):
            yield (
                f"{found}, expected {_text(PUBLISHED_SHAPE)} (rows x columns; --subset takes "
                "other sizes)"
            )
        # SAR and label are compared with their optical image, even if its own size is wrong.
        expected = optical
    if expected is None:
        return
    narrower = (expected[0], expected[1] - 1)
    for modality, allowed in dict(sar=[expected], label=[expected, narrower]).items():
        if modality in shapes and shapes[modality] not in allowed:
            yield (
                f"{FOLDERS[modality]}/: {_text(shapes[modality])} pixels, expected "
                f"{' or '.join(map(_text, allowed))} (rows x columns), as the optical image"
            )


def _label_codes(path: str) -> set[int]:
    codes: set[int] = set()
    with open_raster(path) as source:
        for top in range(0, source.height, ROWS_AT_ONCE):
            rows = Window(0, top, source.width, min(ROWS_AT_ONCE, source.height - top))
            codes.update(np.unique(source.read(1, window=rows)).tolist())
    return codes


def _code_problems(codes: set[int]) -> Iterator[str]:
    unknown = sorted(codes - set(LABEL_CODES))
    legend = ", ".join(map(str, LABEL_CODES))
    if len(unknown) > MANY_CODES:
        yield (
            f"{FOLDERS['label']}/: more than {MANY_CODES} codes other than {legend}; is it an "
            "image, such as that of sar/?"
        )
    elif unknown:
        found = ", ".join(map(str, unknown))
        yield f"{FOLDERS['label']}/: unknown label code {found}; expected {legend}"


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"

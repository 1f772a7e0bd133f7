"""Everything that is wrong with a published tree of WHU-OPT-SAR, in one report."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader
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
BAND_NAMES = dict(
    optical=("red", "green", "blue", "near infrared"), sar=("backscatter",), label=("label codes",)
)
PIXEL_TYPE = "uint8"
# An image in place of a label has more unknown codes than this.
MANY_CODES = 20


def check_tree(tree: PublishedTree, workers: Workers, settings: ConversionSettings) -> None:
    """Check everything that would stop the conversion, before it begins.

    Raises:
        DataError: If anything is wrong; the message lists all of it.
    """
    scenes = [scene for scene in tree.scenes if scene.files]
    check = functools.partial(check_scene, settings=settings)
    results, quiet = workers.map(check, scenes), not settings.progress
    bar = tqdm(results, "checking", len(scenes), unit="scene", disable=quiet, dynamic_ncols=True)
    found = [problem for result in bar for problem in result]
    problems = [*tree.problems, *sorted(found, key=lambda problem: problem.scene)]
    if problems:
        raise DataError(_report(tree.root, problems))


def _report(root: Path, problems: Sequence[Problem]) -> str:
    lines = [f"{root}: {len(problems)} problem(s) with the published set:"]
    # Scenes that share a problem share a line.
    for what in dict.fromkeys(problem.what for problem in problems):
        scenes = [problem.scene for problem in problems if problem.what == what and problem.scene]
        count = f" ({len(scenes)} scenes)" if len(scenes) > 1 else ""
        lines.append(f"  - {what}{': ' if scenes else ''}{', '.join(scenes)}{count}")
    lines.append(
        "Nothing was written. Copy or download the named files again, correct the lists, and run "
        "the same command again; --subset takes a part of the set, or scenes of other sizes."
    )
    return "\n".join(lines)


def check_scene(scene: PublishedScene, settings: ConversionSettings) -> list[Problem]:
    """Check the files of one scene against the published set and against each other."""
    problems, headers, codes = [], {}, []
    with raster_session():
        for modality, path in scene.files.items():
            try:
                with open_raster(path) as source:
                    _read_last_pixels(source)
                    headers[modality] = source.profile
                    if modality == "label" and source.count == 1:
                        codes = np.unique(source.read(1)).tolist()
            except DataError as error:
                problems.append(Problem(str(error)))
    found = [*_band_problems(headers), *_shape_problems(headers, settings), *_code_problems(codes)]
    return [*problems, *(Problem(what, scene.name) for what in found)]


def _read_last_pixels(source: DatasetReader) -> None:
    corner = Window(source.width - 1, source.height - 1, 1, 1)
    # Band by band: in files that store them one after another, only the last is at the end.
    for band in range(1, source.count + 1):
        source.read(band, window=corner)


def _band_problems(headers: Mapping[str, Profile]) -> Iterator[str]:
    expected = {modality: len(names) for modality, names in BAND_NAMES.items()}
    counts = {modality: header["count"] for modality, header in headers.items()}
    for other in ("sar", "label"):
        if (counts.get("optical"), counts.get(other)) == (expected[other], expected["optical"]):
            yield (
                f"{FOLDERS['optical']}/ and {FOLDERS[other]}/ look swapped: "
                f"{counts.pop('optical')} band in the first, {counts.pop(other)} in the second"
            )
    for modality, count in counts.items():
        if count != expected[modality]:
            names = ", ".join(BAND_NAMES[modality])
            yield f"{FOLDERS[modality]}/: {count} band(s), expected {expected[modality]} ({names})"
    for modality, header in headers.items():
        if header["dtype"] != PIXEL_TYPE:
            yield f"{FOLDERS[modality]}/: pixels of {header['dtype']}, expected {PIXEL_TYPE}"


def _shape_problems(headers: Mapping[str, Profile], settings: ConversionSettings) -> Iterator[str]:
    shapes = {name: (header["height"], header["width"]) for name, header in headers.items()}
    expected = None if settings.subset else PUBLISHED_SHAPE
    if optical := shapes.get("optical"):
        found = f"{FOLDERS['optical']}/: {_text(optical)} pixels"
        tile = max(settings.tile_sizes)
        if min(optical) < tile:
            yield f"{found}, smaller than a tile of {tile} x {tile}; choose a smaller --tile-size"
        if expected not in (None, optical):
            published = _text(PUBLISHED_SHAPE)
            yield f"{found}, expected {published} (rows x columns; --subset takes other sizes)"
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


def _code_problems(codes: Sequence[int]) -> Iterator[str]:
    unknown = [str(code) for code in codes if code not in LABEL_CODES]
    legend = ", ".join(map(str, LABEL_CODES))
    if len(unknown) > MANY_CODES:
        yield (
            f"{FOLDERS['label']}/: more than {MANY_CODES} codes other than {legend}; is it an "
            "image, such as that of sar/?"
        )
    elif unknown:
        yield f"{FOLDERS['label']}/: unknown label code {', '.join(unknown)}; expected {legend}"


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"

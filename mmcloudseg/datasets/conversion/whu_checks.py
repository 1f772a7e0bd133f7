"""All that is wrong with a published tree of WHU-OPT-SAR, in one report."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from tqdm import tqdm

from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, Scene
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
# More unknown codes than this are no slip in a label but another kind of image.
MANY_CODES = 20


def check_tree(
    tree: PublishedTree,
    workers: Workers,
    smallest: int,
    subset: bool = False,
    progress: bool = False,
) -> None:
    """Check everything that would stop the conversion, before any of it.

    Args:
        tree: What lists and names told.
        workers: Run the checks of the scenes.
        smallest: Rows and columns that a scene needs, the side of a tile.
        subset: Whether other sizes than the published one are right.
        progress: Whether to show how far it is.

    Raises:
        DataError: If anything is wrong; the message lists all of it.
    """
    check = functools.partial(check_scene, smallest=smallest, subset=subset)
    scenes = [scene for scene in tree.scenes if scene.files]
    results = workers.run(functools.partial(check, scene) for scene in scenes)
    bar = tqdm(
        results, "checking", len(scenes), unit="scene", disable=not progress, dynamic_ncols=True
    )
    found = [problem for result in bar for problem in result]
    problems = [*tree.problems, *sorted(found, key=lambda problem: problem.scene)]
    if problems:
        raise DataError(report(tree.root, problems))


def report(root: Path, problems: Sequence[Problem]) -> str:
    """Put all problems in one text; scenes that share one share a line."""
    groups: dict[str, list[str]] = {}
    for problem in problems:
        groups.setdefault(problem.what, []).append(problem.scene)
    lines = [f"{root}: {len(problems)} problem(s) with the published set:"]
    for what, scenes in groups.items():
        named = [scene for scene in scenes if scene]
        count = f" ({len(named)} scenes)" if len(named) > 1 else ""
        lines.append(f"  - {what}{': ' if named else ''}{', '.join(named)}{count}")
    lines.append(
        "Nothing was written. Copy or download again what is named, correct the lists, and run "
        "the same command again; --subset takes a part of the set, or scenes of other sizes."
    )
    return "\n".join(lines)


def check_scene(scene: Scene, smallest: int = 1, subset: bool = False) -> list[Problem]:
    """Check the files of one scene against the published set and against each other.

    Args:
        scene: The scene; files may be missing.
        smallest: Rows and columns that it needs.
        subset: Whether other sizes than the published one are right.

    Returns:
        The problems.
    """
    problems, headers = [], {}
    with raster_session():
        for modality, path in scene.files.items():
            try:
                headers[modality] = _read_to_the_end(path)
            except DataError as error:
                problems.append(Problem(str(error)))
        problems += _band_problems(scene.name, headers)
        problems += _shape_problems(scene.name, headers, smallest, subset)
        if "label" in headers and headers["label"]["count"] == 1:
            problems += _code_problems(scene)
    return problems


def _read_to_the_end(path: str) -> rasterio.profiles.Profile:
    with open_raster(path) as source:
        corner = Window(source.width - 1, source.height - 1, 1, 1)
        # Band by band: in files that store them one after another, only the last is at the end.
        for band in range(1, source.count + 1):
            source.read(band, window=corner)
        return source.profile


def _band_problems(scene: str, headers: dict) -> Iterator[Problem]:
    counts = {modality: header["count"] for modality, header in headers.items()}
    for other in ("sar", "label"):
        if counts.get("optical") == BANDS[other] and counts.get(other) == BANDS["optical"]:
            yield Problem(
                f"{FOLDERS['optical']}/ and {FOLDERS[other]}/ look swapped: "
                f"{counts['optical']} band in the first, {counts[other]} in the second",
                scene,
            )
            del counts["optical"], counts[other]
    for modality, count in counts.items():
        if count != BANDS[modality]:
            yield Problem(
                f"{FOLDERS[modality]}/: {count} band(s), expected {BANDS[modality]} "
                f"({BAND_NAMES[modality]})",
                scene,
            )
    for modality, header in headers.items():
        if header["dtype"] != PIXEL_TYPE:
            yield Problem(
                f"{FOLDERS[modality]}/: pixels of {header['dtype']}, expected {PIXEL_TYPE}", scene
            )


def _shape_problems(scene: str, headers: dict, smallest: int, subset: bool) -> Iterator[Problem]:
    shapes = {name: (header["height"], header["width"]) for name, header in headers.items()}
    optical = shapes.get("optical")
    if optical is not None and min(optical) < smallest:
        yield Problem(
            f"{FOLDERS['optical']}/: {_text(optical)} pixels, smaller than a tile of {smallest} x "
            f"{smallest}; choose a smaller --tile-size",
            scene,
        )
    if optical not in (None, PUBLISHED_SHAPE) and not subset:
        yield Problem(
            f"{FOLDERS['optical']}/: {_text(optical)} pixels, expected {_text(PUBLISHED_SHAPE)} "
            "(rows x columns; --subset takes other sizes)",
            scene,
        )
    # SAR and label are held against their optical image, even if its own size is wrong.
    expected = optical or (None if subset else PUBLISHED_SHAPE)
    if expected is None:
        return
    narrower = (expected[0], expected[1] - 1)
    for modality, allowed in dict(sar=[expected], label=[expected, narrower]).items():
        if modality in shapes and shapes[modality] not in allowed:
            wanted = " or ".join(_text(shape) for shape in allowed)
            yield Problem(
                f"{FOLDERS[modality]}/: {_text(shapes[modality])} pixels, expected {wanted} "
                "(rows x columns), as the optical image",
                scene,
            )


def _code_problems(scene: Scene) -> Iterator[Problem]:
    path = scene.files["label"]
    codes: set[int] = set()
    try:
        with open_raster(path) as source:
            for top in range(0, source.height, ROWS_AT_ONCE):
                rows = Window(0, top, source.width, min(ROWS_AT_ONCE, source.height - top))
                codes.update(np.unique(source.read(1, window=rows)).tolist())
    except DataError as error:
        yield Problem(str(error))
        return
    unknown = sorted(codes - set(LABEL_CODES))
    legend = ", ".join(map(str, LABEL_CODES))
    if len(unknown) > MANY_CODES:
        yield Problem(
            f"{FOLDERS['label']}/: more than {MANY_CODES} codes that are not of {legend}; is it "
            "an image, such as that of sar/?",
            scene.name,
        )
    elif unknown:
        found = ", ".join(map(str, unknown))
        yield Problem(
            f"{FOLDERS['label']}/: unknown label code {found}; expected {legend}", scene.name
        )


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"

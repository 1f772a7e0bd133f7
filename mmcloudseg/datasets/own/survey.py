"""Everything that a user's folder tells about the config that it needs."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmcloudseg.datasets.own.codes import Codes, Legend, count_codes, label_legend, mask_rule
from mmcloudseg.datasets.own.folders import NEEDED, OPTIONS, described, find_files, named_modality
from mmcloudseg.datasets.own.grids import Grids, fit_grids
from mmcloudseg.datasets.own.images import Images, look_at_images
from mmcloudseg.datasets.own.kinds import check_kinds, settle_unnamed
from mmcloudseg.datasets.own.pairing import pair
from mmcloudseg.datasets.own.splits import FRACTIONS, split
from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.errors import DataError

Progress = Callable[[Iterable[str]], Iterable[str]]


@dataclass(frozen=True)
class Stated:
    """What the user says of the data; whatever is left out is looked for.

    Attributes:
        folders: Path key -> folder below the data's.
        without: Path keys to leave out.
        classes: Names of the label codes in order, or code -> name.
        optical_unit: As in ``radiometry``.
        sar_unit: Likewise.
        optical_bands: Names of the bands, in the files' order.
        sar_bands: Likewise.
        fractions: Shares of training, validation and test samples.
        together: Lists of samples that stay in one split.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    without: Sequence[str] = ()
    classes: Mapping[float, str] | Sequence[str] | None = None
    optical_unit: str | None = None
    sar_unit: str | None = None
    optical_bands: Sequence[str] | None = None
    sar_bands: Sequence[str] | None = None
    fractions: Sequence[float] = FRACTIONS
    together: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class OwnData:
    """What was found.

    Attributes:
        root: The data's folder, absolute.
        folders: Path key -> the folder that all files of a modality are in, relative to ``root``.
        suffixes: Path key -> how its files end.
        counts: Path key -> number of its files.
        samples: Name -> path key -> path relative to ``root``.
        optical: The optical images, cloudy and cloud-free ones.
        sar: The SAR images.
        codes: Of the labels.
        legend: What they stand for.
        mask_codes: Of the cloud masks, if there are any.
        mask_settings: What the dataset has to know of them.
        mask_doubt: What of it the user has to confirm.
        grids: How the files fit.
        splits: Split -> names of samples.
        rule: How they were split.
        notes: What is odd.
    """

    root: str
    folders: Mapping[str, str]
    suffixes: Mapping[str, str]
    counts: Mapping[str, int]
    samples: Mapping[str, Mapping[str, str]]
    optical: Images
    sar: Images
    codes: Codes
    legend: Legend
    mask_codes: Codes | None
    mask_settings: Mapping[str, Any]
    mask_doubt: str
    grids: Grids
    splits: Mapping[str, Sequence[str]]
    rule: str
    notes: Sequence[str]

    @property
    def cloud_free(self) -> bool:
        """Whether there are cloud-free images."""
        return "cloud_free_path" in self.folders


def survey(root: str, stated: Stated | None = None, progress: Progress = iter) -> OwnData:
    """Look at a folder of optical and SAR images and labels.

    Args:
        root: The folder.
        stated: What the user says.
        progress: Wraps the iteration over maps, which are read whole.

    Raises:
        DataError: If modalities cannot be told apart, or files do not fit.
    """
    stated, root = stated or Stated(), os.path.abspath(root)
    below = {key: _relative(root, folder) for key, folder in stated.folders.items()}
    stated = dataclasses.replace(stated, folders=below)
    with raster_session():
        found = find_files(root, stated.folders)
        files, notes = settle_unnamed(root, found, stated.without)
        _need(root, files)
        check_kinds(root, files, stated.folders)
        folders = {
            key: stated.folders.get(key) or common_folder(files[key])
            for key in MODALITY_NAMES
            if key in files
        }
        samples, unpaired = pair({key: files[key] for key in folders}, folders)
        in_full = {
            name: {key: os.path.join(root, path) for key, path in sample.items()}
            for name, sample in samples.items()
        }
        columns = {key: [sample[key] for sample in in_full.values()] for key in folders}
        looked = _look(columns, stated, progress)
        grids = fit_grids(in_full)
        splits, rule = split(samples, grids.headers, stated.fractions, stated.together)
    optical = looked["optical"]
    return OwnData(
        root=root,
        folders=folders,
        suffixes={key: suffix(files[key]) for key in folders},
        counts={key: len(files[key]) for key in folders},
        samples=samples,
        grids=grids,
        splits=splits,
        rule=rule,
        notes=[*notes, *unpaired, *optical.notes, *grids.notes],
        **looked,
    )


def _look(
    columns: Mapping[str, Sequence[str]], stated: Stated, progress: Progress
) -> dict[str, Any]:
    """Look at images and maps; ``columns`` has the samples' paths by path key."""
    images = [*columns["img_path"], *columns.get("cloud_free_path", ())]
    codes = count_codes(columns["seg_map_path"], progress)
    masks = columns.get("cloud_mask_path")
    mask_codes = count_codes(masks, progress) if masks else None
    settings, doubt = mask_rule(mask_codes, masks[0]) if mask_codes and masks else ({}, "")
    return dict(
        optical=look_at_images(images, "optical", stated.optical_unit, stated.optical_bands),
        sar=look_at_images(columns["sar_path"], "sar", stated.sar_unit, stated.sar_bands),
        codes=codes,
        legend=label_legend(codes, stated.classes),
        mask_codes=mask_codes,
        mask_settings=settings,
        mask_doubt=doubt,
    )


def _relative(root: str, folder: str) -> str:
    """A folder that is stated from the data's folder or in full, from the data's folder."""
    return os.path.relpath(os.path.join(root, folder), root)


def _need(root: str, files: Mapping[str, Sequence[str]]) -> None:
    absent = [key for key in NEEDED if not files.get(key)]
    if absent:
        found = ", ".join(f"{described(key)}s" for key in files) or "nothing"
        nouns = ", ".join(described(key) for key in absent)
        options = " ".join(f"{OPTIONS[key]} DIR" for key in absent)
        raise DataError(
            f"{root}: found {found}, but no {nouns}. Name the folder: {options}, relative to it."
        )


def common_folder(paths: Sequence[str]) -> str:
    """The innermost folder that all files are in; '' for the data's own."""
    return os.path.commonpath([os.path.dirname(path) for path in paths])


def suffix(paths: Sequence[str]) -> str:
    """How all files end: the extension, and before it the words of a modality that all share."""
    stem, extension = os.path.splitext(paths[0])
    parts = re.split(r"(?=[_./-])", stem)
    end = extension
    while len(parts) > 1 and named_modality(parts[-1]):
        end = parts.pop() + end
    same = all(path.endswith(end) for path in paths)
    return end if same and len(paths) > 1 else extension

"""Paired optical and SAR images with land-cover labels, on any grids over the same ground."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from mmseg.registry import DATASETS

from mmcloudseg.datasets.header_checks import (
    band_counts,
    band_names,
    evenly_spaced,
    ground_problems,
    header_problems,
)
from mmcloudseg.datasets.label_codes import check_indices
from mmcloudseg.datasets.named import NamedDataset
from mmcloudseg.datasets.pipeline_checks import check_pipeline
from mmcloudseg.datasets.sample_lists import (
    MODALITY_NAMES,
    distinct_names,
    list_names,
    missing_files,
    read_csv,
    read_names,
    samples_by_name,
    unpaired_sar,
)
from mmcloudseg.datasets.settings import OpticalSARSettings
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError


@DATASETS.register_module()
class OpticalSARDataset(NamedDataset):
    """A dataset of paired files, described by its config alone.

    ``data_prefix`` says which modalities there are and in which folder each is: ``img_path`` (the
    optical image, under clouds), ``sar_path``, ``cloud_free_path``, ``cloud_mask_path`` (a raster
    or ``.npy``) and ``seg_map_path`` (labels). The samples are listed by

    - a ``.csv`` file: one sample per row, a column per modality, paths relative to the modality's
      ``data_prefix``, or else to ``data_root``; its first row names the columns by the keys above,
      unless ``csv_columns`` does; an empty cell says that the sample lacks the file;
    - any other ``ann_file``: one name a line, without suffix; or
    - without ``ann_file``: every file below the optical folder that ends in ``img_suffix``.

    In the last two cases a sample's files have the same name in each folder, and end in the
    modality's suffix, in any letter case.

    When it is built, it checks that every file is there and, by the headers of evenly spaced
    samples, that bands, sizes, reference systems and tags fit. A file on other ground than its
    optical image is warned of, and refused when it is read and before a run starts.

    Args:
        ann_file: The list, relative to ``data_root``; '' takes all files of the optical folder.
        data_root: The folder that everything else is relative to.
        data_prefix: Modality's path key -> its folder.
        metainfo: ``classes``, ``palette`` and ``bands``, for example
            ``dict(optical=['blue', 'green', 'red', 'nir'], sar=['VV', 'VH'])``. Files that name
            their bands are read by these names, others in their own order. Without ``bands`` the
            first sample's files say how many bands each file must have.
        kwargs: The settings below, and those of ``NamedDataset``. Instead of
            ``reduce_zero_label`` use ``label_codes``.
        img_suffix: How optical images end, likewise ``sar_suffix``, ``cloud_free_suffix``,
            ``cloud_mask_suffix``, ``seg_map_suffix``.
        csv_columns: Path keys of a CSV list's columns in order, for lists without a first row.
        label_codes: Code in the label raster -> index in ``classes``, 255 for codes to ignore.
            None means that labels hold the indices themselves. A label's declared nodata value is
            ignored unless it is among the codes.
        label_scale: Label pixels per optical pixel (0.3 for 10 m labels of 3 m images), the grid
            of predictions. Finer labels (above 1) come to the optical grid, by pixel centres.
        sar_scale: SAR pixels per optical pixel; None takes what the files have, if they are
            georeferenced, and else 1. Likewise ``cloud_mask_scale``.
        align: ``'warp'`` warps SAR and cloud-free images, labels and masks to the optical grid as
            they are read; ``'none'`` refuses files on other ground.
        sar_resampling: How images are warped: ``'nearest'`` or ``'bilinear'``.
        radiometry: ``dict(optical=dict(unit=…, scale=…, offset=…), sar=dict(unit=…))``, each part
            optional: what the numbers in the files mean; see :class:`Radiometry`.
        nodata: ``dict(optical=…, sar=…)``: nodata values in place of those that files declare.
        cloud_mask_codes: Which codes of a mask are cloud, clear, unknown, or the name of a legend
            such as ``'s2_scl'``; by default 0 is clear and 1 cloud. See :class:`CloudMaskRule`.
        cloud_mask_threshold: Probability above which a pixel is cloud, 0 to 1 or 0 to 100.
        allow_missing: Modalities, ``'sar'`` or ``'optical'``, that a sample may lack: by an empty
            cell of the list, or by a file without a valid pixel.
        clouds: ``stored``, those of the files; or ``simulated``: the cloud-free image stands for
            the optical one, without a mask, and ``SimulateClouds`` in the pipeline draws clouds
            on it. Cloudy images and masks need not exist then.
        optical: Which image is the model's optical input: ``cloudy``, or ``cloud_free``, which is
            what a teacher sees.
        num_header_checks: How many samples' headers to check; 0 checks none.

    Raises:
        DataError: If data are missing or do not fit; the message names files and what to do.
    """

    def __init__(
        self,
        ann_file: str = "",
        data_root: str | None = None,
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        prefix = dict(data_prefix or dict(img_path=""))
        unknown = set(prefix) - set(MODALITY_NAMES)
        if unknown or "img_path" not in prefix:
            raise ValueError(
                f"data_prefix needs img_path and may have {list(MODALITY_NAMES)}; found "
                f"{list(prefix)}"
            )
        if kwargs.get("reduce_zero_label"):
            raise ValueError(
                "reduce_zero_label is not supported: map code 0 by label_codes={0: 255, …}"
            )
        check_pipeline(kwargs.get("pipeline", ()))
        self.settings = OpticalSARSettings.pop_from(kwargs)
        self.ground_problems: list[str] = []
        super().__init__(
            ann_file=ann_file,
            img_suffix=self.settings.img_suffix,
            seg_map_suffix=self.settings.seg_map_suffix,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=prefix,
            **kwargs,
        )

    @property
    def label_scale(self) -> float:
        """Label pixels per optical pixel: the grid of predictions, also those of whole scenes.

        Labels finer than the optical image are brought to its grid.
        """
        return min(self.settings.label_scale, 1.0)

    def load_data_list(self) -> list[dict]:
        """List the samples and check their files.

        Raises:
            DataError: If anything is missing or does not fit.
        """
        samples = self.list_samples()
        missing = missing_files(samples)
        if missing:
            remedy = "Restore them, or take their samples off the list."
            raise DataError.from_problems(f"{self._source()}: missing files", missing, remedy)
        self._check_headers(samples)
        if self.settings.optical == "cloud_free":
            samples = [self._clear(sample, "optical='cloud_free'") for sample in samples]
        return samples

    @staticmethod
    def _clear(sample: dict, why: str) -> dict:
        if not sample.get("cloud_free_path"):
            raise DataError(
                f"{sample['img_path']}: {why} needs cloud-free images. Name their folder as "
                f"cloud_free_path in data_prefix, or leave {why.split('=')[0]} out."
            )
        return {**sample, "img_path": sample["cloud_free_path"]}

    def list_samples(self) -> list[dict]:
        """List the samples' data_info, without checking their files.

        Raises:
            DataError: If the data root or the list is missing, or the list is empty.
        """
        if self.data_root and not os.path.isdir(self.data_root):
            raise DataError(self.missing_root_message())
        if self.ann_file and not os.path.isfile(self.ann_file):
            raise DataError(
                f"{self.ann_file}: no such list of samples. Set the dataset's ann_file, relative "
                f"to its data_root {self.data_root!r}, or name another root with --data-root PATH."
            )
        paths = self.select(self.list_paths())
        if not paths:
            raise DataError(f"{self._source()}: no samples. {self.no_samples_hint()}")
        optical = [sample["img_path"] for sample in paths]
        if self.settings.clouds == "simulated":
            paths = [self._clear(sample, "clouds='simulated'") for sample in paths]
            for sample in paths:
                sample.pop("cloud_mask_path", None)
        bands = self._metainfo.get("bands") or {}
        declared = {group: len(names) for group, names in bands.items()}
        shared = dict(self._shared_info(), band_counts=declared or band_counts(paths[0]))
        if not bands:
            shared["band_names"] = band_names(paths[0])
        names = distinct_names(map(self.sample_name, optical))
        return [
            {**sample, **shared, "sample_name": name, "area": self.area(path)}
            for sample, path, name in zip(paths, optical, names, strict=True)
        ]

    def list_paths(self) -> list[dict[str, str]]:
        """Path key -> path, for each sample of the list or folder."""
        folders = {key: folder or "." for key, folder in self.data_prefix.items()}
        suffixes = self.settings.suffixes
        if self.ann_file.endswith(".csv"):
            columns = self.settings.csv_columns
            return read_csv(self.ann_file, columns, folders, self.data_root or "")
        if self.ann_file:
            return samples_by_name(read_names(self.ann_file), folders, suffixes)
        self.check_folders(folders)
        names = list_names(folders["img_path"], self.img_suffix, suffixes.values())
        unpaired = unpaired_sar(names, folders, suffixes)
        if unpaired:
            remedy = "Add what is missing, or name the samples to use in a list (ann_file)."
            title = f"{folders['sar_path']}: unpaired files"
            raise DataError.from_problems(title, unpaired, remedy)
        return samples_by_name(names, folders, suffixes)

    @staticmethod
    def check_folders(folders: Mapping[str, str]) -> None:
        """Raise a :class:`DataError` that names all folders that are not there."""
        absent = [f"{key}: {path}" for key, path in folders.items() if not os.path.isdir(path)]
        if absent:
            remedy = "Correct data_prefix, or name another root with --data-root PATH."
            title = "Folders of data_prefix that do not exist"
            raise DataError.from_problems(title, absent, remedy)

    def select(self, paths: list[dict[str, str]]) -> list[dict[str, str]]:
        """Choose which samples of the list to use: here, all."""
        return paths

    def sample_name(self, img_path: str) -> str:
        """A short name of a sample, fit for a file name."""
        relative = os.path.relpath(img_path, self.data_prefix["img_path"] or ".")
        if relative.lower().endswith(self.img_suffix.lower()):
            relative = relative[: len(relative) - len(self.img_suffix)]
        return relative.replace(os.sep, "_").replace("..", "")

    def area(self, img_path: str) -> str:
        """The unit of statistics, which neighbouring samples share; here, each is its own."""
        return self.sample_name(img_path)

    def missing_root_message(self) -> str:
        """What to say when the data root is not there."""
        return (
            f"data_root {self.data_root!r} does not exist. Name the folder of your data with "
            "--data-root PATH, or set data_root in the config."
        )

    def no_samples_hint(self) -> str:
        """What to do about a list or folder without samples."""
        return f"Check the list, and that optical images end in img_suffix={self.img_suffix!r}."

    def _source(self) -> str:
        return self.ann_file or self.data_prefix["img_path"] or "."

    def _shared_info(self) -> dict[str, Any]:
        info = dict(
            self.settings.reading(),
            label_scale=self.settings.label_scale,
            sar_scale=self.settings.sar_scale,
            optical=self.settings.optical,
            reduce_zero_label=False,
            seg_fields=[],
        )
        bands = self._metainfo.get("bands")
        if bands:
            info["band_names"] = {group: tuple(names) for group, names in bands.items()}
        codes = self.settings.label_codes
        if codes is None and self._metainfo.get("classes"):
            base = type(self).METAINFO.get("classes") or self._metainfo["classes"]
            codes = {index: index for index in (*range(len(base)), IGNORE_INDEX)}
        if codes is not None:
            if not type(self).METAINFO.get("classes") and self._metainfo.get("classes"):
                check_indices(codes, len(self._metainfo["classes"]))
            chosen = self.label_map or {}
            info["label_codes"] = {code: chosen.get(index, index) for code, index in codes.items()}
        return info

    def _check_headers(self, samples: list[dict]) -> None:
        chosen = evenly_spaced(len(samples), self.settings.num_header_checks)
        with raster_session():
            problems = [line for index in chosen for line in header_problems(samples[index])]
            astray = [line for index in chosen for line in ground_problems(samples[index])]
        self.ground_problems = astray
        if astray:
            title = f"{self._source()}: files on other ground, which no run will accept"
            warnings.warn(str(DataError.from_problems(title, astray)), stacklevel=2)
        if problems:
            remedy = (
                "Correct the files or the dataset's metainfo bands, label_scale, sar_scale; "
                "`python tools/verify_dataset.py CONFIG` lists every problem."
            )
            title = f"{self._source()}: files that do not fit"
            raise DataError.from_problems(title, problems, remedy)

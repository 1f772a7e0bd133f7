"""Cloudy images, clear images of the same ground and their masks, from any of our datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmcloudseg.datasets import LoadRasters, OpticalSARDataset
from mmcloudseg.datasets.sample_lists import MODALITY_NAMES, missing_files
from mmcloudseg.datasets.verification import SPLITS, leaf_datasets
from mmcloudseg.engine.configs import load_config
from mmcloudseg.rasters.reading import open_raster, raster_session, read_header
from mmcloudseg.rasters.sensors import BAND_UM
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

NEEDED = ("img_path", "cloud_free_path", "cloud_mask_path")

_MAX_NODATA = 0.01


@dataclass(frozen=True)
class CloudPair:
    """One place with and without clouds.

    Attributes:
        name: Name of the sample.
        clear: Bands x H x W, in the unit and type of its file.
        cloudy: The same under clouds, as float32.
        mask: H x W, true = cloud.
        gsd_m: Side of a pixel in metres.
    """

    name: str
    clear: np.ndarray
    cloudy: np.ndarray
    mask: np.ndarray
    gsd_m: float


def folder_datasets(folder: str | Path) -> list[dict]:
    """Make dataset configs for a folder in the layout of M3M-CR, one per list or else per split.

    Raises:
        DataError: If the folder does not exist, or has neither lists nor splits.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Give one in M3M-CR's layout, or --config.")
    lists = [split for split in SPLITS if (folder / f"{split}.csv").is_file()]
    splits = lists or [split for split in SPLITS if (folder / split).is_dir()]
    if not splits:
        raise DataError(
            f"{folder}: expected M3M-CR's layout (train.csv and train/, or the same of val or "
            "test), found neither. Give another folder, or describe the data with --config CONFIG."
        )
    return [
        dict(
            type="M3MCRDataset",
            data_root=str(folder),
            ann_file=f"{split}.csv" if lists else "",
            data_prefix=dict(img_path=split),
        )
        for split in splits
    ]


def config_datasets(config: str, data_root: str | None = None) -> list[dict]:
    """Return the dataset configs that a config tests on.

    Raises:
        DataError: If it has no test set.
    """
    leaves = leaf_datasets(load_config(config), data_root)
    chosen = [leaf for split, leaf in leaves if split == "test"]
    if not chosen:
        raise DataError(f"{config}: has no test_dataloader: add one, its dataset is compared.")
    return chosen


def list_pairs(datasets: Sequence[Mapping]) -> tuple[list[dict], tuple[str, ...]]:
    """List the samples of datasets, which need neither SAR images nor labels.

    Args:
        datasets: Configs of ``OpticalSARDataset`` or its subclasses.

    Returns:
        A data_info for each sample, and the names of the optical bands.

    Raises:
        DataError: If files are missing, samples have no cloud-free image or no mask, or the bands
            have no names.
    """
    init_default_scope("mmseg")
    samples: list[dict] = []
    bands: tuple[str, ...] = ()
    for config in datasets:
        dataset = DATASETS.build({**config, "lazy_init": True, "pipeline": []})
        if not isinstance(dataset, OpticalSARDataset):
            raise DataError(
                f"{config['type']}: expected OpticalSARDataset or a subclass. Describe the data "
                "by one of them."
            )
        bands = tuple((dataset.metainfo.get("bands") or {}).get("optical", ()))
        if not bands:
            raise DataError(
                f"{config['type']}: expected names of the optical bands, found none. Set the "
                "dataset's metainfo=dict(bands=dict(optical=[…], sar=[…]))."
            )
        samples += dataset.list_samples()
    _check_files(samples)
    return samples, bands


def read_pair(sample: Mapping, gsd_m: float | None = None) -> CloudPair:
    """Read one sample.

    Args:
        sample: Its data_info.
        gsd_m: Side of a pixel in metres; None takes that of the cloudy image.

    Raises:
        DataError: If a file cannot be read or the size of a pixel is unknown.
    """
    with raster_session():
        return _read_pair(sample, gsd_m)


def _read_pair(sample: Mapping, gsd_m: float | None) -> CloudPair:
    loader = LoadRasters(modalities=("optical", "cloud_free"), with_label=False)
    loaded = loader.transform(dict(sample))
    image = loaded["img"].transpose(2, 0, 1)
    layout = loaded["band_layout"]
    cloudy, clear = (image[slice(*layout[name])] for name in ("optical", "cloud_free"))
    mask = loaded["gt_cloud_mask"]
    missing = (mask == IGNORE_INDEX) | (clear == 0).all(axis=0) | (cloudy == 0).all(axis=0)
    if missing.mean() > _MAX_NODATA:
        raise DataError(
            f"{sample['img_path']}: {missing.mean():.0%} of its pixels have no data in an image "
            f"or the mask; at most {_MAX_NODATA:.0%} may be missing. Take it off the list."
        )
    mask = (mask == 1) & ~missing
    if not mask.any():
        raise DataError(
            f"{sample['cloud_mask_path']}: has no cloudy pixel to measure. Take it off the list."
        )
    gsd_m = gsd_m or pixel_size_m(sample["img_path"])
    clear = _as_stored(clear, sample["cloud_free_path"])
    return CloudPair(sample["sample_name"], clear, cloudy, mask, gsd_m)


def pixel_size_m(path: str) -> float:
    """Return the side of the pixels of an image in metres.

    Raises:
        DataError: If the image has no projected reference system.
    """
    header = read_header(path)
    if header.transform is None or header.crs is None or not header.crs.is_projected:
        raise DataError(
            f"{path}: expected a projected reference system, which gives the pixel size, found "
            f"{header.crs or 'none'}. Give the side of a pixel in metres with --gsd."
        )
    _, metres = header.crs.linear_units_factor
    return float(np.hypot(header.transform.a, header.transform.d) * metres)


def band_centres_um(bands: Sequence[str]) -> tuple[float, ...]:
    """Return the wavelengths of bands in micrometres by their names.

    Raises:
        DataError: If a name is unknown.
    """
    unknown = [band for band in bands if band.lower() not in BAND_UM]
    if unknown:
        raise DataError(
            f"bands {unknown}: expected names out of {list(BAND_UM)}. Give the centres of all "
            f"{len(bands)} bands with --wavelengths."
        )
    return tuple(BAND_UM[band.lower()] for band in bands)


def _as_stored(image: np.ndarray, path: str) -> np.ndarray:
    """The image in the type of its file, in which simulated clouds are rounded and clipped."""
    with open_raster(path) as source:
        dtype = np.dtype(source.dtypes[0])
    return image.astype(dtype) if dtype.kind == "f" else np.rint(image).astype(dtype)


def _check_files(samples: Sequence[Mapping]) -> None:
    for key in NEEDED:
        without = [f"{s['img_path']}: no {key}" for s in samples if not s.get(key)]
        if without:
            raise DataError.from_problems(
                f"samples without a {MODALITY_NAMES[key]}",
                without,
                f"The comparison needs a {MODALITY_NAMES[key]}: give its folder as {key} in the "
                "dataset's data_prefix, or compare other data.",
            )
    absent = missing_files([{key: sample[key] for key in NEEDED} for sample in samples])
    if absent:
        raise DataError.from_problems(
            "missing files", absent, "Restore them, or take their samples off the list."
        )

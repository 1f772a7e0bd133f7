"""Loading one sample's rasters onto the optical grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.rasters.grids import GridWindow, scaled_shape
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader, open_raster, raster_session, read_header
from mmcloudseg.rasters.values import open_map, read_bands
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

PATH_KEYS = dict(optical="img_path", sar="sar_path", cloud_free="cloud_free_path")


@TRANSFORMS.register_module()
class LoadRasters(BaseTransform):
    """Read a sample's files; see :class:`OpticalSARDataset` for the keys it starts from.

    Every band becomes float32 before anything else. NaN, declared nodata and pixels that the
    file's mask or alpha band excludes become the mean of their own band, over the whole band even
    where only a window is read; a declared nodata of 0 in an optical image stays 0. Whole scenes
    are read by the same rule. In labels and cloud masks such pixels are ignored. SAR and label
    come to the optical grid by the pixel-centre rule.

    Required Keys:

    - img_path, and sar_path and cloud_free_path as far as ``modalities`` asks for them
    - cloud_mask_path, seg_map_path (optional)
    - crop_window, label_scale, sar_scale, label_codes, band_counts (optional)

    Added Keys:

    - img (float32, H x W x bands, in the order of ``modalities``)
    - band_layout (modality -> (first band, one past its last))
    - gt_seg_map (uint8, H x W, class indices, 255 ignored), if there is a label
    - gt_cloud_mask (uint8, H x W, 1 cloud, 0 clear, 255 nodata), if there is a mask
    - seg_fields, img_shape, ori_shape (the label grid's), label_scale

    Args:
        modalities: What to stack into ``img``: ``'optical'``, ``'sar'``, ``'cloud_free'``.
        with_mask: Load the cloud mask if the sample has one.
        with_label: Load the label if the sample has one.
        bands: Modality -> numbers of the bands to read, from 1; all bands of those not named.
            A modality that is cut down here needs as many numbers in the model's radiometry.
    """

    def __init__(
        self,
        modalities: Sequence[str] = ("optical", "sar", "cloud_free"),
        with_mask: bool = True,
        with_label: bool = True,
        bands: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        unknown = [name for name in (*modalities, *(bands or {})) if name not in PATH_KEYS]
        if unknown or not modalities:
            raise ValueError(
                f"LoadRasters: unknown modalities {unknown}; choose one or more of "
                f"{list(PATH_KEYS)}"
            )
        self.modalities = tuple(modalities)
        self.with_mask = with_mask
        self.with_label = with_label
        self.bands = dict(bands or {})

    def transform(self, results: dict) -> dict:
        """Load.

        Raises:
            DataError: If a file is missing, damaged, of the wrong size or number of bands, or if
                the label holds a code outside the legend.
        """
        with raster_session():
            grid = self._grid(results)
            self._load_image(results, grid)
            results["seg_fields"] = []
            label_scale = results.setdefault("label_scale", 1.0)
            if self.with_label and results.get("seg_map_path"):
                results["gt_seg_map"] = self._load_label(results, grid)
                results["seg_fields"].append("gt_seg_map")
            if self.with_mask and results.get("cloud_mask_path"):
                results["gt_cloud_mask"] = self._load_mask(results["cloud_mask_path"], grid)
                results["seg_fields"].append("gt_cloud_mask")
        results["img_shape"] = (grid.height, grid.width)
        results["ori_shape"] = scaled_shape(results["img_shape"], label_scale)
        return results

    @staticmethod
    def _grid(results: dict) -> GridWindow:
        grid = GridWindow(read_header(results["img_path"]).shape, results.get("crop_window"))
        if not grid.inside():
            raise DataError(
                f"{results['img_path']}: crop_window {results['crop_window']} (top, left, height, "
                f"width) does not lie in its {_text(grid.shape)} pixels. Choose a window inside."
            )
        return grid

    def _load_image(self, results: dict, grid: GridWindow) -> None:
        parts, layout, start = [], {}, 0
        read: dict[tuple, np.ndarray] = {}
        for modality in self.modalities:
            # A clear sample is its own cloud-free image: one file, read once.
            source = (results.get(PATH_KEYS[modality]), str(self.bands.get(modality)))
            if source not in read or modality == "sar":
                read[source] = self._load_modality(results, modality, grid)
            parts.append(read[source])
            layout[modality] = (start, start + len(parts[-1]))
            start += len(parts[-1])
        results["img"] = np.ascontiguousarray(np.concatenate(parts).transpose(1, 2, 0))
        results["band_layout"] = layout

    def _load_modality(self, results: dict, modality: str, grid: GridWindow) -> np.ndarray:
        key = PATH_KEYS[modality]
        path = results.get(key)
        if not path:
            raise DataError(
                f"{results['img_path']}: LoadRasters asks for '{modality}', but the sample has no "
                f"{key}. Name its folder in the dataset's data_prefix, or leave '{modality}' out "
                "of LoadRasters(modalities=…)."
            )
        is_sar = modality == "sar"
        scale = results.get("sar_scale") if is_sar else 1.0
        expected = results.get("band_counts", {}).get("sar" if is_sar else "optical")
        with open_raster(path) as source:
            held = RasterHeader.of(source).image_bands(expected or source.count)
            if expected is not None and len(held) != expected:
                raise DataError(
                    f"{path}: has {len(held)} bands, expected {expected}. Correct the file, or "
                    "the dataset's metainfo `bands`."
                )
            if scale is not None:
                _check_shape(path, source.shape, grid.shape, scale)
            window, rows, columns = grid.on(source.shape)
            bands = self.bands.get(modality) or held
            if max(bands) > source.count or min(bands) < 1:
                raise DataError(
                    f"{path}: has bands 1 to {source.count}, LoadRasters(bands=…) asks for "
                    f"{list(bands)}. Correct the pipeline."
                )
            nodata = Nodata.of(source, [*held, *bands], zero_is_data=not is_sar)
            values, _ = read_bands(source, window, bands, nodata)
        return values[:, rows[:, None], columns[None, :]] if is_sar else values

    @staticmethod
    def _load_mask(path: str, grid: GridWindow) -> np.ndarray:
        with open_map(path) as source:
            _check_shape(path, source.shape, grid.shape, 1.0)
            window, _, _ = grid.on(source.shape)
            # Some products declare 0, which means clear, as nodata.
            mask, missing = source.read(window, nodata=source.nodata or None)
        return np.where(missing, IGNORE_INDEX, mask != 0).astype(np.uint8)

    @staticmethod
    def _load_label(results: dict, grid: GridWindow) -> np.ndarray:
        path = results["seg_map_path"]
        codes = results.get("label_codes")
        legend = codes or {code: code for code in range(IGNORE_INDEX + 1)}
        with open_map(path) as source:
            _check_shape(path, source.shape, grid.shape, results["label_scale"])
            window, rows, columns = grid.on(source.shape)
            # A code may be a class although the file declares it as nodata.
            nodata = None if source.nodata in legend else source.nodata
            values, missing = source.read(window, nodata=nodata)
        indices = np.full(values.shape, IGNORE_INDEX, dtype=np.uint8)
        indices[~missing] = class_indices(values[~missing], legend, path)
        return indices[rows[:, None], columns[None, :]]


def class_indices(codes: np.ndarray, legend: Mapping[float, int], path: str) -> np.ndarray:
    """Turn the codes of a label raster, of any shape, into class indices (uint8) by the legend.

    Raises:
        DataError: If a code is not in the legend; it names the label's ``path``.
    """
    found, inverse = np.unique(codes, return_inverse=True)
    unknown = [code for code in found.tolist() if code not in legend]
    if unknown:
        raise DataError(
            f"{path}: unknown label code {', '.join(map(str, unknown))}; the legend has "
            f"{', '.join(map(str, legend))}. Correct the file, or add the code to the dataset's "
            "label_codes (255 as its class means ignored)."
        )
    table = np.array([legend[code] for code in found.tolist()], dtype=np.uint8)
    return table[inverse].reshape(codes.shape)


def _check_shape(
    path: str, shape: tuple[int, int], optical: tuple[int, int], scale: float
) -> None:
    expected = scaled_shape(optical, scale)
    if tuple(shape) != expected:
        raise DataError(
            f"{path}: has {_text(shape)} pixels, expected {_text(expected)} ({scale:g} x the "
            f"optical image's {_text(optical)}). Cut both to the same ground, or correct the "
            "dataset's label_scale or sar_scale."
        )


def _text(shape: Sequence[int]) -> str:
    return f"{shape[0]} x {shape[1]}"

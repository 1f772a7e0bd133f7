"""Loading one sample's rasters onto the optical grid."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.cloud_masks import CloudMaskRule
from mmcloudseg.datasets.label_codes import class_indices
from mmcloudseg.datasets.settings import radiometry_of
from mmcloudseg.datasets.transforms.sample_grid import SampleGrid
from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.reading import open_raster, raster_session
from mmcloudseg.rasters.sampling import NoValidPixelError
from mmcloudseg.rasters.values import open_map, read_filled
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

PATH_KEYS = dict(optical="img_path", sar="sar_path", cloud_free="cloud_free_path")


@TRANSFORMS.register_module()
class LoadRasters(BaseTransform):
    """Read a sample's files; see :class:`OpticalSARDataset` for the keys it starts from.

    Every band becomes float32 in the unit that models see (``radiometry``). NaN, declared nodata
    and pixels that the file's mask or alpha band excludes become the mean of their own band, over
    the whole band even where only a window is read; a declared nodata of 0 in an optical image
    stays 0. Whole scenes are read by the same rule. In labels and cloud masks such pixels are
    ignored, and so are labels where a mask, an alpha band or NaN says that the optical image has
    no data. SAR, label and cloud mask come to the optical grid by the pixel-centre rule, or with
    ``align='warp'`` by their georeference. A file that names its bands is read by name.

    Required Keys:

    - img_path, and sar_path and cloud_free_path as far as ``modalities`` asks for them
    - cloud_mask_path, seg_map_path (optional)
    - crop_window, label_scale, sar_scale, label_codes, band_counts, band_names, and the settings
      of :meth:`OpticalSARSettings.reading` (optional)

    Added Keys:

    - img (float32, H x W x bands, in the order of ``modalities``)
    - band_layout (modality -> (first band, one past its last))
    - modalities (which of optical and SAR the sample has, such as ``optical+sar``)
    - gt_seg_map (uint8, H x W, class indices, 255 ignored), if there is a label
    - gt_cloud_mask (uint8, H x W, 1 cloud, 0 clear, 255 unknown), if there is a mask
    - seg_fields, img_shape, ori_shape (the label grid's), label_scale

    Args:
        modalities: What to stack into ``img``: ``'optical'``, ``'sar'``, ``'cloud_free'``.
        with_mask: Load the cloud mask if the sample has one.
        with_label: Load the label if the sample has one.
        bands: Modality -> bands to read, by name or by number from 1; all bands of those not
            named. The cloud-free image has the bands of the optical one unless it is named too.
            A modality that is cut down here needs as many numbers in the model's ranges.
    """

    def __init__(
        self,
        modalities: Sequence[str] = ("optical", "sar", "cloud_free"),
        with_mask: bool = True,
        with_label: bool = True,
        bands: Mapping[str, Sequence[int | str]] | None = None,
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
        if "optical" in self.bands:
            self.bands.setdefault("cloud_free", self.bands["optical"])

    def transform(self, results: dict) -> dict:
        """Load.

        Raises:
            DataError: If a file is missing, damaged, on other ground, has other bands, or if the
                label holds a code outside the legend.
        """
        with raster_session():
            grid = SampleGrid.of(results)
            no_data = self._load_image(results, grid)
            results["seg_fields"] = []
            if self.with_label and results.get("seg_map_path"):
                label = self.load_label(results, grid)
                label[no_data] = IGNORE_INDEX
                results["gt_seg_map"] = label
                results["seg_fields"].append("gt_seg_map")
            if self.with_mask and results.get("cloud_mask_path"):
                mask, problem = self.read_mask(results, grid)
                if problem:
                    warnings.warn(f"{problem}. These pixels count as unknown", stacklevel=2)
                results["gt_cloud_mask"] = mask
                results["seg_fields"].append("gt_cloud_mask")
        # Labels finer than the optical image have come to its grid.
        scale = results["label_scale"] = min(results.get("label_scale", 1.0), 1.0)
        results["img_shape"] = grid.window_shape
        results["ori_shape"] = grid.label_shape(scale)
        return results

    def rules(self, results: Mapping, modality: str) -> ImageRules:
        """How the sample's file of a modality is read."""
        group = "sar" if modality == "sar" else "optical"
        return ImageRules(
            modality=group,
            names=(results.get("band_names") or {}).get(group, ()),
            bands=self.bands.get(modality),
            count=results.get("band_counts", {}).get(group),
            nodata=(results.get("nodata") or {}).get(group),
            radiometry=radiometry_of(results, group),
        )

    def _load_image(self, results: dict, grid: SampleGrid) -> np.ndarray:
        """Load the bands; where the optical image has no data is returned."""
        parts, layout, start = [], {}, 0
        read: dict[tuple, tuple[np.ndarray, np.ndarray | None]] = {}
        no_data = np.zeros(grid.window_shape, dtype=bool)
        for modality in self.modalities:
            # A clear sample is its own cloud-free image: one file, read once.
            source = (results.get(PATH_KEYS[modality]), str(self.bands.get(modality)))
            if source not in read or modality == "sar":
                read[source] = self._load_modality(results, modality, grid)
            values, excluded = read[source]
            if modality == "optical" and excluded is not None:
                no_data = excluded
            parts.append(values)
            layout[modality] = (start, start + len(values))
            start += len(values)
        results["img"] = np.ascontiguousarray(np.concatenate(parts).transpose(1, 2, 0))
        results["band_layout"] = layout
        there = [
            m for m, (first, _) in layout.items() if not np.isnan(results["img"][0, 0, first])
        ]
        if "optical" not in layout:  # as in the input of a teacher
            there = ["optical" if m == "cloud_free" else m for m in there]
        results["modalities"] = "+".join(m for m in ("optical", "sar") if m in there)
        return no_data

    def _load_modality(
        self, results: dict, modality: str, grid: SampleGrid
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """A modality's values, NaN if it is missing, and where it has no data in any band."""
        key, group = PATH_KEYS[modality], "sar" if modality == "sar" else "optical"
        path, rules = results.get(key), self.rules(results, modality)
        may_lack = group in results.get("allow_missing", ())
        if path == "" and modality == "sar" and rules.count:
            # An empty cell of a list; a dataset without such a column is another matter.
            _say_missing(results, "SAR", f"has no {key}", may_lack)
            count = len(rules.bands or range(rules.count))
            return np.full((count, *grid.window_shape), np.nan, np.float32), None
        if not path:
            raise DataError(
                f"{results['img_path']}: LoadRasters asks for '{modality}', but the sample has no "
                f"{key}. Name its folder in the dataset's data_prefix, or leave '{modality}' out "
                "of LoadRasters(modalities=…). An image outside of a dataset is mapped by "
                "mmcloudseg.apis.ScenePredictor or tools/predict_scene.py."
            )
        with open_raster(path) as source:
            reader = rules.open(source)
            scale = results.get("sar_scale") if modality == "sar" else 1.0
            resampling = results.get("sar_resampling", "nearest")
            with grid.view(source, reader, scale, resampling) as view:
                window, rows, columns = grid.on(view.source.shape)
                try:
                    values, missing = read_filled(view, window)
                    if may_lack and view.nodata.zero_stays and missing.all():
                        raise NoValidPixelError(f"{path}: is nodata everywhere")
                except NoValidPixelError:
                    if modality == "cloud_free":
                        raise
                    _say_missing(results, group, f"has no valid pixel in {path}", may_lack)
                    shape = (len(reader.bands), *grid.window_shape)
                    return np.full(shape, np.nan, np.float32), None
        if modality == "sar" or grid.warp:
            values = values[:, rows[:, None], columns[None, :]]
            missing = missing[:, rows[:, None], columns[None, :]]
        return values, None if reader.nodata.zero_stays else np.asarray(missing.all(axis=0))

    @staticmethod
    def read_mask(results: Mapping, grid: SampleGrid) -> tuple[np.ndarray, str | None]:
        """The cloud mask, and what of it does not fit the dataset's rule, if anything."""
        path = results["cloud_mask_path"]
        rule = CloudMaskRule(results.get("cloud_mask_codes"), results.get("cloud_mask_threshold"))
        with open_map(path, grid.warp) as source:
            grid.check(source.header, results.get("cloud_mask_scale"))
            window, rows, columns = grid.on(source.shape)
            # Some products declare 0, which means clear, as nodata.
            values, missing = source.read(window, nodata=source.nodata or None)
        mask, problem = rule.apply(values, missing, path)
        return mask[rows[:, None], columns[None, :]], problem

    @staticmethod
    def load_label(results: Mapping, grid: SampleGrid) -> np.ndarray:
        """The label as class indices on the optical grid, 255 ignored."""
        path = results["seg_map_path"]
        codes = results.get("label_codes")
        legend = codes or {code: code for code in range(IGNORE_INDEX + 1)}
        with open_map(path, grid.label_grid(results.get("label_scale", 1.0))) as source:
            grid.check(source.header, results.get("label_scale", 1.0))
            window, rows, columns = grid.on(source.shape)
            # A code may be a class although the file declares it as nodata.
            is_class = source.nodata in legend and legend[source.nodata] != IGNORE_INDEX
            nodata = None if source.nodata in legend else source.nodata
            values, missing = source.read(window, nodata=nodata)
        if is_class and codes is not None and (values == source.nodata).any():
            warnings.warn(
                f"label code {source.nodata:g} is declared as nodata in {path}, and is a class in "
                "label_codes: it counts as the class. Map it to 255 to ignore it",
                stacklevel=2,
            )
        indices = np.full(values.shape, IGNORE_INDEX, dtype=np.uint8)
        indices[~missing] = class_indices(values[~missing], legend, path)
        return indices[rows[:, None], columns[None, :]]


def _say_missing(results: Mapping, group: str, what: str, allowed: bool) -> None:
    if not allowed:
        warnings.warn(
            f"{results['img_path']}: {what}; the sample is loaded without {group}. State "
            f"allow_missing=['{group.lower()}'] in the dataset if that is right",
            stacklevel=3,
        )

"""WHU-OPT-SAR: Gaofen-1 images, Gaofen-3 SAR and land-cover labels, as tiles under clouds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from mmseg.registry import DATASETS

from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

# Codes, names and colours as published, in the order of the codes.
LEGEND = {
    10: ("farmland", (204, 102, 0)),
    20: ("city", (255, 0, 0)),
    30: ("village", (255, 255, 0)),
    40: ("water", (0, 0, 255)),
    50: ("forest", (85, 167, 0)),
    60: ("road", (0, 255, 255)),
    70: ("others", (153, 102, 153)),
}
BACKGROUND_CODE = 0
LABEL_CODES = {BACKGROUND_CODE: IGNORE_INDEX, **{code: index for index, code in enumerate(LEGEND)}}

CONVERTER = "python tools/dataset_converters/whu_opt_sar.py"
DEFAULT_TILE_SIZE = "512"
MINI_TOOL = "python tools/make_mini_whu_opt_sar.py"
MINI_SCENES = "data/mini_whu-opt-sar_scenes"
# The mini set's scenes have 400 rows.
MINI_TILES = "data/mini_whu-opt-sar --tile-size 256"
RECIPE_FILE = "whu_opt_sar.json"
"""File in a folder of tiles that says how they were made."""

FOLDERS = dict(
    img_path="cloudy",
    cloud_free_path="optical",
    cloud_mask_path="cloud_mask",
    sar_path="sar",
    seg_map_path="label",
)


@DATASETS.register_module()
class WHUOptSARDataset(OpticalSARDataset):
    """WHU-OPT-SAR (Li et al., Int. J. Appl. Earth Obs. Geoinf. 106, 2022, 102638), as tiles.

    The published set is 100 clear scenes of Hubei at 5 m. Its converter,
    ``tools/dataset_converters/whu_opt_sar.py``, cuts them into tiles, splits them by scene and
    puts simulated clouds on the tiles that are scored. ``data_root`` is a folder of tiles:

    - ``optical``: uint8, bands red, green, blue, NIR (Gaofen-1), clear
    - ``sar``: uint8, one band (Gaofen-3)
    - ``label``: uint8, codes 10 to 70, 0 is background and ignored
    - ``cloudy``, ``cloud_mask``: the optical tile under clouds, and where they are (1 cloud)
    - ``train.txt``, ``val.txt``, ``test.txt``: names of tiles

    Args:
        ann_file: The list of tiles, relative to ``data_root``.
        data_root: The folder of tiles.
        clouds: ``'stored'`` reads the clouds that the converter wrote, the same for everybody;
            training tiles have them only with its ``--freeze-train``. ``'simulated'`` reads the
            clear tile, for a pipeline in which ``SimulateClouds`` puts clouds on it.
        data_prefix: Path key -> folder, for folders other than these.
        kwargs: As in ``OpticalSARDataset``; ``metainfo`` may name some of the classes, the others
            are ignored.
    """

    METAINFO = dict(
        classes=tuple(name for name, _ in LEGEND.values()),
        palette=[list(colour) for _, colour in LEGEND.values()],
        bands=dict(optical=("red", "green", "blue", "nir"), sar=("backscatter",)),
    )

    def __init__(
        self,
        ann_file: str = "",
        data_root: str | None = None,
        clouds: str = "stored",
        data_prefix: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        prefix = {**FOLDERS, **(data_prefix or {})}
        settings = {"clouds": clouds, "label_codes": LABEL_CODES, **kwargs}
        super().__init__(ann_file, data_root, prefix, **settings)

    def list_samples(self) -> list[dict]:
        """List the samples' data_info.

        Raises:
            DataError: Also if the data root holds other steps of the conversion than tiles, or
                none of the tiles has the frozen clouds that are asked for.
        """
        self._check_root()
        samples = super().list_samples()
        stored = self.settings.clouds == "stored"
        if stored and not any(os.path.exists(sample["img_path"]) for sample in samples):
            raise DataError(
                f"{self._source()}: none of its {len(samples)} tiles has frozen clouds (no "
                f"{samples[0]['img_path']}). Training tiles have them only if the converter ran "
                "with --freeze-train. Either set clouds='simulated' and put SimulateClouds into "
                f"the pipeline, or run `{CONVERTER} SCENES OUT --freeze-train`."
            )
        return samples

    def area(self, img_path: str) -> str:
        """The scene that a tile was cut from: ``NH49E001013`` of ``NH49E001013_r0000_c0512``."""
        return re.sub(r"_r\d+_c\d+$", "", self.sample_name(img_path))

    def _check_root(self) -> None:
        """Tell apart the folder of tiles, its parent and the published scenes."""
        root = self.data_root or ""
        if not os.path.isdir(root) or os.path.exists(os.path.join(root, RECIPE_FILE)):
            return
        paths = [os.path.join(root, name) for name in sorted(os.listdir(root))]
        folders = [path for path in paths if os.path.isfile(os.path.join(path, RECIPE_FILE))]
        if folders:
            raise DataError(
                f"data_root {root!r} holds folders of tiles, one for each size. Name one of "
                f"them: --data-root {' or '.join(folders)}."
            )
        if os.path.isdir(os.path.join(root, "lbl")) and not os.path.isfile(self.ann_file):
            raise DataError(
                f"data_root {root!r} holds scenes as published, not tiles. Cut them by "
                f"`{CONVERTER} {root} OUT` and name a folder in OUT with --data-root PATH."
            )

    def missing_root_message(self) -> str:
        """What to say when the data root is not there: how to make or name one."""
        root = self.data_root.rstrip("/")
        out, size = os.path.split(root)
        if not size.isdigit():
            out, size = root, DEFAULT_TILE_SIZE
        place = out if size == DEFAULT_TILE_SIZE else f"{out} --tile-size {size}"
        mini = place if "mini" in os.path.basename(out) else MINI_TILES
        return (
            f"data_root {self.data_root!r} does not exist. Cut your copy of WHU-OPT-SAR into "
            f"tiles with `{CONVERTER} SCENES {place}`, or make the mini data set with "
            f"`{MINI_TOOL} {MINI_SCENES}` and then `{CONVERTER} {MINI_SCENES} {mini} "
            "--subset`, or name a folder of tiles with --data-root PATH."
        )

"""MMEngine's wrappers of several or repeated datasets, for all that ours can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dataset import ConcatDataset as _ConcatDataset
from mmengine.dataset import RepeatDataset as _RepeatDataset
from mmseg.registry import DATASETS

from mmcloudseg.datasets.names import built_datasets, dataset_names, tell_apart
from mmcloudseg.utils.plain_values import to_plain


@DATASETS.register_module()
class ConcatDataset(_ConcatDataset):
    """MMEngine's ``ConcatDataset``, which can also be inside a ``ClassBalancedDataset``.

    The datasets' metainfo must agree, but a list may stand for a tuple, and label maps, which are
    applied when a sample is loaded, need not be the same. Datasets of different roots get
    different names.

    Args:
        datasets: Configs of datasets, or datasets, wrapped ones too.
        lazy_init: As in MMEngine.
        ignore_keys: Keys of the metainfo that may differ; those of the first dataset count.

    Raises:
        ValueError: Metainfo differs; the message names the key, both values and what to do.
    """

    def __init__(
        self,
        datasets: Sequence[Any],
        lazy_init: bool = False,
        ignore_keys: str | Sequence[str] | None = None,
    ) -> None:
        if not datasets:
            raise ValueError("ConcatDataset joins no dataset: list one or more in datasets=[…]")
        # MMEngine's own takes no datasets that are wrapped already, and compares more strictly.
        self.datasets = [DATASETS.build(d) if isinstance(d, Mapping) else d for d in datasets]
        self.ignore_keys = (
            [ignore_keys] if isinstance(ignore_keys, str) else [*(ignore_keys or ())]
        )
        self._metainfo = self.datasets[0].metainfo
        for dataset in self.datasets[1:]:
            self._check_metainfo(dataset)
        tell_apart(list(built_datasets(self)))
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    def _check_metainfo(self, dataset: Any) -> None:
        first, other = self._metainfo, dataset.metainfo
        for key in dict.fromkeys([*first, *other]):
            if key in ("label_map", *self.ignore_keys):
                continue
            values = [_listed(to_plain(meta.get(key))) for meta in (first, other)]
            if values[0] != values[1]:
                names = [" + ".join(dataset_names(d)) for d in (self.datasets[0], dataset)]
                raise ValueError(
                    f"ConcatDataset: the metainfo differs in '{key}': {values[0]} in {names[0]}, "
                    f"{values[1]} in {names[1]}. Give both the same (label_codes maps the codes "
                    "of each data set to the same classes), or let the first count by "
                    f"ignore_keys=['{key}']"
                )

    def get_cat_ids(self, idx: int) -> list[int]:
        """Indices of the classes in a sample's label."""
        which, inner = self._get_ori_dataset_idx(idx)
        return self.datasets[which].get_cat_ids(inner)


@DATASETS.register_module()
class RepeatDataset(_RepeatDataset):
    """MMEngine's ``RepeatDataset``, which can also be inside a ``ClassBalancedDataset``."""

    def get_cat_ids(self, idx: int) -> list[int]:
        """Indices of the classes in a sample's label."""
        return self.dataset.get_cat_ids(self._get_ori_dataset_idx(idx))


def _listed(value: Any) -> Any:
    """A plain value with lists in place of tuples and tensors, which compare as one."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value

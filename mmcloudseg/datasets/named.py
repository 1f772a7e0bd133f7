"""Datasets that can be joined: their samples know whose they are, and which classes they show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.datasets import BaseSegDataset

from mmcloudseg.datasets.label_classes import classes_of_labels
from mmcloudseg.datasets.names import checked_name, default_name
from mmcloudseg.utils.plain_values import to_plain


class NamedDataset(BaseSegDataset):
    """MMSegmentation's dataset with a name, plain metainfo and the classes of its labels.

    Args:
        args: As in ``BaseSegDataset``.
        dataset_name: What its samples' data set is called; the last folder of ``data_root`` unless
            given here or in ``metainfo``, or else the name of the class.
        metainfo: As in ``BaseSegDataset``.
        kwargs: As in ``BaseSegDataset``.

    Attributes:
        dataset_name: The name.
        name_is_derived: Whether the config does not give it.
    """

    def __init__(
        self,
        *args: Any,
        dataset_name: str | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        metainfo = dict(metainfo or {})
        given = [dataset_name, metainfo.pop("dataset_name", None)]
        name = given[0] or given[1]
        own = default_name(kwargs.get("data_root"), type(self).__name__)
        self.name_is_derived = not name
        self.dataset_name = checked_name(name) if name else own
        self._label_classes: dict[str, list[int]] = {}
        super().__init__(*args, metainfo=metainfo, **kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: Mapping[str, Any] | None = None) -> dict:
        # Plain values can be saved in a checkpoint and compared with those of other data sets.
        return to_plain(super()._load_metainfo(metainfo))

    def get_data_info(self, idx: int) -> dict:
        """A sample's paths and settings, and the name of its data set."""
        return {**super().get_data_info(idx), "dataset_name": self.dataset_name}

    def get_cat_ids(self, idx: int) -> list[int]:
        """Indices of the classes in a sample's label, for ``ClassBalancedDataset``.

        The first call reads all labels.

        Raises:
            DataError: Samples have no labels, or a label cannot be read.
        """
        path = self.get_data_info(idx).get("seg_map_path", "")
        if path not in self._label_classes:
            samples = [self.get_data_info(index) for index in range(len(self))]
            self._label_classes.update(classes_of_labels(samples))
        return self._label_classes[path]

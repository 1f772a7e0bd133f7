"""Groups of samples with scores of their own: by data set, and by the modalities they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmcloudseg.evaluation.score_keys import DATASET_GROUP, MODALITIES_GROUP


def labels_of(sample: Mapping[str, Any]) -> dict[str, str | None]:
    """What a sample's metainfo says about its groups; None for what it does not say."""
    return {key: sample.get(key) for key in ("dataset_name", "modalities")}


def groups_of(
    results: Sequence[Mapping[str, Any]], by_dataset: bool
) -> dict[str, list[Mapping[str, Any]]]:
    """Group the results of samples.

    Args:
        results: Results with the entries of ``labels_of``.
        by_dataset: Whether to group by data set. By modalities they are grouped if samples differ
            in them.

    Returns:
        Group as in keys of scores (``dataset_north``, ``modalities_optical``) -> its results.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    if by_dataset:
        for result in results:
            name = DATASET_GROUP + (result["dataset_name"] or "unnamed")
            groups.setdefault(name, []).append(result)
    if len(_values(results, "modalities")) > 1:
        for present in sorted(_values(results, "modalities")):
            members = [result for result in results if result["modalities"] == present]
            groups[MODALITIES_GROUP + present] = members
    return groups


def joins_datasets(results: Iterable[Mapping[str, Any]]) -> bool:
    """Whether results are of several data sets, in which two samples may have the same name."""
    return len(_values(results, "dataset_name")) > 1


def _values(results: Iterable[Mapping[str, Any]], key: str) -> set[str]:
    return {result[key] for result in results if result[key]}

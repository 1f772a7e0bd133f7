"""Several data sets in one: wrappers, names, classes of labels."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.config import ConfigDict
from mmengine.dataset import ClassBalancedDataset
from mmseg.registry import DATASETS

from mmcloudseg.datasets import ConcatDataset, OpticalSARDataset, RepeatDataset, label_classes
from mmcloudseg.datasets.names import dataset_names
from mmcloudseg.utils.errors import DataError

METAINFO = dict(classes=("land", "water"), palette=[[0, 100, 0], [0, 0, 200]])
PIPELINE = [dict(type="LoadRasters", modalities=["optical"]), dict(type="PackCloudSegInputs",
            modalities=["optical"])]  # fmt: skip


@pytest.fixture
def make(tmp_path, write_raster):
    """``make("north/tiles", labels)``: config of a data set of 3 bands and these labels."""

    def make(folder: str, *labels: list, **settings) -> dict:
        root = tmp_path / folder
        for index, codes in enumerate(labels):
            optical = np.full((3, 4, 4), index + 1, np.uint8)
            write_raster(root / f"optical/{index}.tif", optical)
            label = np.resize(np.array(codes, np.uint8), (4, 4))
            write_raster(root / f"label/{index}.tif", label)
        config = dict(
            type="OpticalSARDataset",
            data_root=str(root),
            data_prefix=dict(img_path="optical", seg_map_path="label"),
            metainfo=METAINFO,
            label_codes={1: 0, 2: 1, 0: 255},
            pipeline=PIPELINE,
        )
        return config | settings

    return make


def joined(*datasets, **settings):
    return dict(type="ConcatDataset", datasets=list(datasets), **settings)


def repeated(dataset, times=2):
    return dict(type="RepeatDataset", times=times, dataset=dataset)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "tiles"),
        (dict(dataset_name="mine"), "mine"),
        (dict(metainfo=METAINFO | dict(dataset_name="mine")), "mine"),
        (dict(data_root=""), "OpticalSARDataset"),
    ],
)
def test_each_sample_knows_its_data_set(make, settings, name, tmp_path, monkeypatch):
    config = make("north/tiles", [1])
    monkeypatch.chdir(tmp_path / "north/tiles")
    dataset = DATASETS.build(config | settings)
    assert dataset[0]["data_samples"].dataset_name == name
    assert "dataset_name" not in dataset.metainfo


def test_a_number_alone_names_no_data_set(make):
    assert DATASETS.build(make("whu/512", [1])).dataset_name == "whu_512"


@pytest.mark.parametrize("name", ["a/b", "a\\b", " ", 3])
def test_names_that_cannot_be_part_of_a_key(make, name):
    with pytest.raises(ValueError, match=r"dataset_name"):
        DATASETS.build(make("north", [1], dataset_name=name))


def test_roots_that_end_alike_are_told_apart(make):
    north, south = make("north/tiles", [1]), make("south/tiles", [1])
    other = make("else/tiles", [1], dataset_name="other")
    dataset = DATASETS.build(joined(north, repeated(joined(south, north)), other))
    assert type(dataset) is ConcatDataset
    assert dataset_names(dataset) == ["north_tiles", "south_tiles", "other"]
    found = [dataset[index]["data_samples"].dataset_name for index in range(len(dataset))]
    assert found == ["north_tiles", *["south_tiles", "north_tiles"] * 2, "other"]


def test_classes_of_labels_through_any_wrapper(make):
    a, b = make("a", [1], [2, 0]), make("b", [0], [1, 2])
    inner = joined(repeated(a), b)
    dataset = DATASETS.build(inner)
    assert isinstance(dataset.datasets[0], RepeatDataset)
    assert [dataset.get_cat_ids(i) for i in range(6)] == [[0], [1], [0], [1], [], [0, 1]]
    balanced = DATASETS.build(dict(type="ClassBalancedDataset", oversample_thr=1, dataset=inner))
    assert isinstance(balanced, ClassBalancedDataset)
    # Each class is in 3 of 6 samples, so those with a class come ceil(sqrt(1 / 0.5)) = 2 times.
    assert balanced.repeat_indices == [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5]


def test_each_label_is_read_once(make, monkeypatch):
    read = []
    inner = label_classes._classes_of
    monkeypatch.setattr(
        label_classes, "_classes_of", lambda sample: read.append(sample) or inner(sample)
    )
    config = dict(type="ClassBalancedDataset", oversample_thr=1, dataset=make("a", [1], [2]))
    dataset = DATASETS.build(config).dataset
    assert len(read) == 2
    assert dataset.get_subset([1]).get_cat_ids(0) == [1] and len(read) == 2


def test_classes_are_those_that_metainfo_chooses(make):
    dataset = DATASETS.build(make("a", [1, 2], label_codes={1: 255, 2: 0}))
    assert dataset.get_cat_ids(0) == [0]


def test_classes_need_labels(make):
    config = make("a", [1], data_prefix=dict(img_path="optical"))
    with pytest.raises(DataError, match=r"optical/0\.tif.*\n.*seg_map_path in data_prefix"):
        DATASETS.build(config).get_cat_ids(0)


def test_metainfo_may_be_lists_or_tuples(make):
    other = ConfigDict(make("b", [1], metainfo=dict(METAINFO, classes=["land", "water"])))
    assert len(DATASETS.build(joined(make("a", [1]), other))) == 2


@pytest.mark.parametrize(
    ("metainfo", "match"),
    [
        (dict(classes=("water", "land")), r"'classes'.*'land', 'water'.*in a.*in b.*ignore_keys"),
        (dict(bands=dict(optical=["a", "b", "c"])), r"'bands'.*None in a.*'c'.*in b"),
    ],
)
def test_metainfo_that_differs(make, metainfo, match):
    configs = make("a", [1]), make("b", [1], metainfo=METAINFO | metainfo)
    with pytest.raises(ValueError, match=match):
        DATASETS.build(joined(*configs))
    key = next(iter(metainfo))
    for ignored in (key, [key]):
        dataset = DATASETS.build(joined(*configs, ignore_keys=ignored))
        assert dataset.metainfo["classes"] == ("land", "water")


def test_built_datasets_are_joined_too(make):
    a = OpticalSARDataset(**{k: v for k, v in make("a", [1]).items() if k != "type"})
    dataset = ConcatDataset([a, RepeatDataset(a, 2)], lazy_init=True)
    dataset.full_init()
    assert len(dataset) == 3
    with pytest.raises(ValueError, match="no dataset"):
        ConcatDataset([])

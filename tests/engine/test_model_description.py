from __future__ import annotations

import pytest
from mmengine.config import Config
from torch import nn

from mmcloudseg.engine.model_description import (
    ModelDescription,
    accepts_missing_modality,
    value_ranges,
)

RANGES = dict(optical=dict(low=[0] * 4, high=[10000] * 4), sar=dict(low=[-25, -32], high=[0, 1]))


def config(pipeline=(), preprocessor=RANGES, **dataset):
    dataset = (
        dict(
            type="M3MCRDataset",
            data_root="nowhere",
            label_scale=0.3,
            pipeline=[dict(type="LoadRasters"), dict(type="PackCloudSegInputs"), *pipeline],
        )
        | dataset
    )
    return Config(
        dict(model=dict(data_preprocessor=preprocessor), test_dataloader=dict(dataset=dataset))
    )


def test_a_config_of_optical_and_sar():
    found = ModelDescription.from_config(config())
    assert found.counts == dict(optical=4, sar=2) and found.label_scale == 0.3
    assert found.classes[0] == "forest" and found.palette[5] == (0, 100, 200)
    assert found.optical_names == ("blue", "green", "red", "nir")
    assert found.low["sar"] == [-25, -32] and found.high["sar"] == [0, 1]


def test_the_order_is_that_of_the_packed_inputs():
    packed = dict(type="PackCloudSegInputs", modalities=("sar", "cloud_free"))
    found = ModelDescription.from_config(config([packed]))
    assert list(found.counts.items()) == [("sar", 2), ("optical", 4)]


def test_a_modality_without_range_is_not_seen():
    found = ModelDescription.from_config(config(preprocessor=dict(optical=RANGES["optical"])))
    assert found.counts == dict(optical=4) and list(found.low) == ["optical"]


def test_bands_that_the_pipeline_chooses():
    chosen = dict(optical=[4, 1])
    optical = dict(low=[0, 0], high=[1, 1])
    found = ModelDescription.from_config(
        config([dict(type="LoadRasters", bands=chosen)], dict(optical=optical))
    )
    assert found.bands == chosen and found.optical_names == ("nir", "blue")


def test_without_ranges_the_dataset_says_how_many_bands():
    found = ModelDescription.from_config(config(preprocessor=dict(mean=[0.0], std=[1.0])))
    assert found.counts == dict(optical=4, sar=2) and not found.low


def test_a_dataset_in_a_wrapper():
    wrapped = config()
    inner = wrapped.test_dataloader.dataset
    wrapped.test_dataloader.dataset = dict(type="RepeatDataset", times=2, dataset=inner)
    assert ModelDescription.from_config(wrapped) == ModelDescription.from_config(config())


def test_configs_that_do_not_say_enough():
    with pytest.raises(ValueError, match=r"test_dataloader.*name the config"):
        ModelDescription.from_config(Config(dict(model={})))
    bare = config(preprocessor=None, metainfo=dict(bands={}))
    with pytest.raises(ValueError, match=r"model\.data_preprocessor=CloudSegDataPreprocessor"):
        ModelDescription.from_config(bare)


def test_value_ranges():
    assert value_ranges(config().model) == RANGES
    assert value_ranges(config(preprocessor=None).model) == {}


def test_whether_a_modality_may_be_missing():
    model, wrapper = nn.Module(), nn.Module()
    model.data_preprocessor = nn.Module()
    wrapper.module = model
    assert not accepts_missing_modality(model) and not accepts_missing_modality(wrapper)
    model.data_preprocessor.missing_val = 0.0
    assert accepts_missing_modality(model) and accepts_missing_modality(wrapper)

"""Transforms that would spoil bands without an error are refused when the dataset is built."""

from __future__ import annotations

import mmcv.transforms
import mmseg.datasets.transforms
import pytest
from mmcv.transforms import BaseTransform

from mmcloudseg.apis.train import train
from mmcloudseg.datasets import M3MCRDataset
from mmcloudseg.datasets.pipeline_checks import (
    FILLING,
    INTERPOLATING,
    REFUSED,
    check_datasets,
    check_pipeline,
)
from mmcloudseg.engine.runs import RunSettings

LOAD, PACK = dict(type="LoadRasters"), dict(type="PackCloudSegInputs")
ROTATE = dict(type="RandomRotate", prob=0.5, degree=45)
GEOMETRIC = dict(type="Geometric", transforms=[ROTATE])
RESIZE = dict(type="RandomResize", scale=(100, 100), ratio_range=(0.5, 2.0))
CLOUDS = dict(type="SimulateClouds", gsd_m=3, wavelengths_um=[0.5, 0.6, 0.7, 0.8])

# Right as they are, or without effect on bands, masks and labels.
HARMLESS = {
    "BaseTransform", "Compose", "KeyMapper", "RandomApply", "RandomChoice", "TransformBroadcaster",
    "TestTimeAug", "MultiScaleFlipAug", "RandomFlip", "RandomCrop", "ImageToTensor", "ToTensor",
    "GenerateEdge",
    # Need keys that no sample of ours has.
    "ConcatCDInput", "RandomDepthMix",
}  # fmt: skip


def refused(match, *steps):
    with pytest.raises(ValueError, match=match):
        check_pipeline(steps)


def test_loading_after_packing():
    steps = [dict(type="PackCloudSegInputs"), dict(type="LoadRasters")]
    with pytest.raises(ValueError, match=r"LoadRasters .*PackCloudSegInputs"):
        check_pipeline(steps)


def test_every_stock_transform_has_been_thought_of():
    stock = {
        name
        for module in (mmcv.transforms, mmseg.datasets.transforms)
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, BaseTransform)
    }
    known = {*REFUSED, *FILLING, *INTERPOLATING, *HARMLESS}
    assert stock - known == {"PackSegInputs"} - known
    assert stock >= {"PhotoMetricDistortion", "Albu", "Normalize", "Pad", "LoadImageFromFile"}


@pytest.mark.parametrize("name", [name for name in REFUSED if "." not in name])
def test_refused_wherever_it_stands(name):
    match = rf"^{name} .* Use .*docs/augmentation\.md"
    step = dict(type=name)
    refused(match, LOAD, step, PACK)
    refused(match, LOAD, dict(type="RandomChoice", transforms=[[step], [ROTATE]]))
    refused(match, dict(type="RandomApply", transforms=step))
    refused(match, dict(type="Geometric", transforms=[step]))
    refused(match, dict(type=f"mmseg.{name}"))


def test_a_remedy_names_what_there_is():
    refused(r"PhotoMetricDistortion .*OpticalJitter", dict(type="PhotoMetricDistortion"))
    refused(r"Normalize .*CloudSegDataPreprocessor", dict(type="Normalize"))
    refused(r"Pad .*PadNoData", dict(type="Pad"))
    refused(r"RandomRotate .*Geometric', transforms=\[dict\(type='RandomRotate'", ROTATE)


def test_classes_and_built_transforms_are_known_too():
    refused("Normalize", dict(type=mmcv.transforms.Normalize))
    refused("RandomRotate", mmseg.datasets.transforms.RandomRotate(0.5, 45))
    refused(r"mmcv\.RandomFlip .*mmseg\.RandomFlip", dict(type="mmcv.RandomFlip", prob=1.0))
    refused(r"mmcv\.Resize", dict(type=mmcv.transforms.Resize, scale=(10, 10)))
    check_pipeline([dict(type="RandomFlip", prob=1.0), dict(type="mmseg.Resize")])
    check_pipeline([dict(type=mmseg.datasets.transforms.RandomFlip, prob=1.0)])


def test_transforms_of_other_projects_may_have_any_name():
    class Normalize(BaseTransform):
        def transform(self, results):
            return results

    check_pipeline([LOAD, dict(type="mine.Normalize"), dict(type=Normalize), Normalize(), print])


@pytest.mark.parametrize("name", FILLING)
def test_what_fills_needs_geometric(name):
    step = dict(type=name)
    refused(rf"^{name} .*Geometric", LOAD, step)
    check_pipeline([LOAD, dict(type="Geometric", transforms=[step, RESIZE])])
    nested = dict(type="RandomApply", transforms=[step])
    refused(rf"^{name} ", LOAD, nested)
    check_pipeline([LOAD, dict(type="Geometric", transforms=[nested])])


def test_order():
    check_pipeline([LOAD, CLOUDS, RESIZE, GEOMETRIC, dict(type="RandomErase"), PACK])
    refused(r"^RandomResize .*Geometric", LOAD, GEOMETRIC, RESIZE)
    refused(r"^Resize .*RandomErase", dict(type="RandomErase"), dict(type="Resize"))
    refused(r"^SimulateClouds .*Geometric", LOAD, GEOMETRIC, CLOUDS)
    inside = dict(type="Geometric", transforms=[dict(type="RandomErase"), RESIZE])
    refused(r"^RandomErase .*Geometric", LOAD, inside)


def test_the_dataset_checks_before_it_looks_for_data(tmp_path):
    pipeline = [LOAD, dict(type="Albu", transforms=[]), PACK]
    with pytest.raises(ValueError, match=r"^Albu .*Geometric"):
        M3MCRDataset("train.csv", str(tmp_path), pipeline=pipeline, lazy_init=True)


def test_wrappers_of_our_datasets():
    ours = dict(type="OpticalSARDataset", pipeline=[LOAD])
    mosaic = dict(type="RandomMosaic", prob=1.0)
    mixed = dict(type="MultiImageMixDataset", dataset=ours, pipeline=[mosaic, PACK])
    for config in (mixed, dict(type="RepeatDataset", times=2, dataset=mixed)):
        with pytest.raises(ValueError, match=r"^RandomMosaic .*Geometric"):
            check_datasets(config)
    check_datasets({**mixed, "pipeline": [dict(type="Geometric", transforms=[mosaic])]})
    check_datasets({**mixed, "dataset": dict(type="CityscapesDataset", pipeline=[mosaic])})
    late = {**mixed, "dataset": {**ours, "pipeline": [LOAD, GEOMETRIC]}, "pipeline": [CLOUDS]}
    with pytest.raises(ValueError, match=r"^SimulateClouds .*Geometric"):
        check_datasets(late)
    joined = dict(type="ConcatDataset", datasets=[ours, {**ours, "pipeline": [ROTATE]}])
    with pytest.raises(ValueError, match=r"^RandomRotate "):
        check_datasets(joined)


def test_training_stops_before_its_teacher_is_trained(root, tmp_path):
    pipeline = [LOAD, dict(type="PhotoMetricDistortion"), PACK]
    options = {"train_dataloader.dataset.pipeline": pipeline}
    run = RunSettings(work_dir=str(tmp_path / "run"), options=options)
    with pytest.raises(ValueError, match=r"^PhotoMetricDistortion "):
        train(str(root / "configs/cloudseg_mini.py"), run)
    assert not (tmp_path / "run").exists()

"""Scores by data set and by the modalities that samples have."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

from mmcloudseg.evaluation.report import format_scores

CLASSES = ("water", "land")


def make_sample(prediction, name="s", **metainfo):
    sample = SegDataSample(
        gt_sem_seg=PixelData(data=torch.tensor([[[0, 0, 1, 1]]])),
        pred_sem_seg=PixelData(data=torch.tensor([[prediction]])),
        gt_cloud_mask=PixelData(data=torch.tensor([[[0, 0, 0, 1]]])),
    )
    sample.set_metainfo(dict(sample_name=name, area="1", img_path=f"{name}.tif", **metainfo))
    return sample.to_dict()


def evaluate(samples, **settings):
    metric = METRICS.build(dict(type="CloudIoUMetric", cover_edges=(), **settings))
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process({}, samples)
    return metric.evaluate(len(samples)), metric


RIGHT, WRONG, HALF = [0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 1]


def test_scores_by_data_set():
    samples = [
        make_sample(RIGHT, dataset_name="north"),
        make_sample(WRONG, dataset_name="south"),
        make_sample(HALF, dataset_name="south"),
    ]
    plain, _ = evaluate(samples)
    metrics, metric = evaluate(samples, by_dataset=True)
    assert not [key for key in plain if "dataset" in key]
    assert list(metrics)[: len(plain)] == list(plain)
    assert {key: metrics[key] for key in plain} == pytest.approx(plain, nan_ok=True)
    assert metrics["dataset_north/aAcc"] == 100
    assert metrics["dataset_south/aAcc"] == pytest.approx(100 * 3 / 8)
    assert metrics["dataset_south/cloudy/aAcc"] == 50
    assert metrics["dataset_south/IoU/land"] == pytest.approx(100 * 1 / 6)
    # Two samples of the same name and area number, at two places.
    assert [s.name for s in metric.samples] == ["north/s", "south/s", "south/s"]
    assert [s.area for s in metric.samples] == ["north/1", "south/1", "south/1"]


def test_names_of_a_single_data_set_stay():
    _, metric = evaluate([make_sample(RIGHT, dataset_name="north")], by_dataset=True)
    assert metric.samples[0].name == "s" and metric.samples[0].area == "1"


def test_scores_by_modalities_come_by_themselves():
    both = [make_sample(RIGHT, modalities="optical+sar")]
    assert not [key for key in evaluate(both)[0] if "modalities" in key]
    metrics, _ = evaluate([*both, make_sample(WRONG, modalities="optical")])
    assert metrics["modalities_optical+sar/mIoU"] == 100
    assert metrics["modalities_optical/mIoU"] == 0
    assert metrics["aAcc"] == 50


def test_groups_are_rows_of_the_table():
    metrics = {
        "mIoU": 50.0, "cloudy/mIoU": 40.0, "dataset_north/mIoU": 60.0,
        "dataset_north/cloudy/mIoU": 30.0, "dataset_north/IoU/water": 1.0,
        "modalities_sar/mIoU": 20.0, "cloud_removal/MAE": 0.5,
        "cloud_removal/dataset_north/MAE": 0.25,
    }  # fmt: skip
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in format_scores(metrics, CLASSES).splitlines()
    ]
    assert ["mIoU data set north (%)", "60.00", "30.00"] in rows
    assert ["mIoU with sar (%)", "20.00", "-"] in rows
    assert ["MAE", "0.5000", "-"] in rows and ["MAE, data set north", "0.2500", "-"] in rows


def test_cloud_removal_by_data_set():
    def restored(error, name):
        sample = SegDataSample()
        sample.pred_cloud_free = PixelData(data=torch.full((2, 8, 8), 0.5 + error))
        sample.gt_cloud_free = PixelData(data=torch.full((2, 8, 8), 0.5))
        sample.set_metainfo(dict(sample_name="s", dataset_name=name))
        return sample.to_dict()

    metric = METRICS.build(dict(type="CloudRemovalMetric", by_dataset=True))
    metric.process({}, [restored(0.1, "north"), restored(0.3, "south")])
    metrics = metric.evaluate(2)
    assert metrics["cloud_removal/MAE"] == pytest.approx(0.2)
    assert metrics["cloud_removal/dataset_north/MAE"] == pytest.approx(0.1)
    assert metrics["cloud_removal/dataset_south/MAE"] == pytest.approx(0.3)

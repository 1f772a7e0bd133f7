"""CalibrationMetric: keys, regions, streaming and errors."""

import math

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from torchmetrics.functional.classification import multiclass_calibration_error

from mmcloudseg.evaluation import CloudIoUMetric
from mmcloudseg.evaluation.confusion import mask_to_label_grid

CLASSES = ("a", "b", "c")


def make_sample(logits, label, mask=None, name="s"):
    sample = SegDataSample(
        seg_logits=PixelData(data=torch.as_tensor(logits)),
        pred_sem_seg=PixelData(data=torch.as_tensor(logits).argmax(dim=0, keepdim=True)),
        gt_sem_seg=PixelData(data=torch.as_tensor(label)[None]),
    )
    if mask is not None:
        sample.gt_cloud_mask = PixelData(data=torch.as_tensor(mask)[None])
    sample.set_metainfo(dict(sample_name=name))
    return sample.to_dict()


def random_samples(count, seed=0, masked=True):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    samples = []
    for i in range(count):
        label = torch.randint(3, (9, 9), generator=generator)
        label[0, :2] = 255
        mask = (draw(30, 30) > 0).byte() if masked else None
        samples.append(make_sample(2 * draw(3, 9, 9), label, mask, f"s{i}"))
    return samples


def build(**kwargs):
    metric = METRICS.build(dict(type="CalibrationMetric", **kwargs))
    metric.dataset_meta = dict(classes=CLASSES)
    return metric


def evaluate(samples, batch=1, **kwargs):
    metric = build(**kwargs)
    for start in range(0, len(samples), batch):
        metric.process({}, samples[start : start + batch])
    return metric.evaluate(len(samples))


def pooled(samples, value=None):
    """Logits (n x K) and labels of all counted pixels, or of those under a mask value."""
    logits, labels = [], []
    for sample in samples:
        label = sample["gt_sem_seg"]["data"][0]
        chosen = label != 255
        if value is not None:
            mask = mask_to_label_grid(sample["gt_cloud_mask"]["data"][0], tuple(label.shape))
            chosen &= mask == value
        logits.append(sample["seg_logits"]["data"][:, chosen].T)
        labels.append(label[chosen])
    return torch.cat(logits), torch.cat(labels)


def test_scores_of_each_region():
    samples = random_samples(6)
    metrics = evaluate(samples)
    for region, value in (("", None), ("cloud_free/", 0), ("cloudy/", 1)):
        logits, label = pooled(samples, value)
        ece = multiclass_calibration_error(logits.softmax(dim=1), label, 3, n_bins=15, norm="l1")
        assert metrics[f"calibration/{region}ECE"] == pytest.approx(100 * float(ece), abs=1e-4)
        confidence = logits.softmax(dim=1).amax(dim=1)
        assert metrics[f"calibration/{region}confidence"] == pytest.approx(
            100 * float(confidence.mean()), abs=1e-4
        )
        wrong = (logits.argmax(dim=1) != label)[confidence.argsort(descending=True)].double()
        risks = wrong.cumsum(0) / torch.arange(1, len(wrong) + 1)
        assert metrics[f"calibration/{region}AURC"] == pytest.approx(
            100 * float(risks.mean()), abs=0.3
        )
    assert len(metrics) == 9


def test_keys_without_masks():
    metrics = evaluate(random_samples(2, masked=False))
    assert set(metrics) == {f"calibration/{key}" for key in ("ECE", "AURC", "confidence")}
    assert set(evaluate(random_samples(1), prefix="student")) >= {"student/cloudy/ECE"}


def test_regions_add_up_but_for_unknown_pixels():
    mask = np.array([[0, 1, 255], [1, 1, 0]], dtype=np.uint8)
    logits = torch.zeros(3, 2, 3)
    logits[0] = 3
    label = torch.tensor([[0, 0, 0], [1, 255, 0]])
    metric = build()
    metric.process({}, [make_sample(logits, label, mask)])
    metric.evaluate(1)
    pixels = {region: h.pixels for region, h in metric.histograms.items()}
    assert pixels == dict(all=5, cloud_free=2, cloudy=2)
    assert metric.histograms["cloudy"].correct.sum() == 1
    assert metric.histograms["cloud_free"].correct.sum() == 2


def test_empty_region_is_nan():
    sample = make_sample(
        torch.randn(3, 4, 4), torch.zeros(4, 4).long(), np.zeros((8, 8), np.uint8)
    )
    metrics = evaluate([sample])
    assert math.isnan(metrics["calibration/cloudy/ECE"])
    assert math.isnan(metrics["calibration/cloudy/AURC"])
    assert metrics["calibration/cloud_free/ECE"] == metrics["calibration/ECE"]


def test_streaming_and_collection():
    samples = random_samples(5)
    single = evaluate(samples)
    assert evaluate(samples, batch=5) == pytest.approx(single, rel=1e-12)
    metric = build()
    metric.process({}, samples)
    assert len(metric.results) == 5
    # No more than its pixels, however many bins there are.
    assert all(len(entry["count"]) <= 79 for entry in metric.results)
    # Distributed collection repeats samples to fill the last batch and cuts them off by number.
    metric.process({}, samples[:2])
    assert metric.evaluate(5) == pytest.approx(single, rel=1e-12)


def test_accuracy_is_that_of_cloud_iou():
    samples = random_samples(3)
    metric, iou = build(), CloudIoUMetric()
    iou.dataset_meta = metric.dataset_meta
    for each in (metric, iou):
        each.process({}, samples)
    metric.evaluate(3)
    accuracy = iou.evaluate(3)
    for region, prefix in (("all", ""), ("cloud_free", "cloud_free/"), ("cloudy", "cloudy/")):
        histogram = metric.histograms[region]
        assert 100 * histogram.correct.sum() / histogram.pixels == pytest.approx(
            accuracy[f"{prefix}aAcc"], rel=1e-12
        )


def test_ignore_index():
    logits, label = torch.randn(3, 2, 2), torch.tensor([[0, 1], [2, 2]])
    metric = build(ignore_index=2)
    metric.process({}, [make_sample(logits, label)])
    metric.evaluate(1)
    assert metric.histograms["all"].pixels == 2


def test_errors():
    logits, label = torch.zeros(3, 2, 2), torch.zeros(2, 2).long()
    binary = make_sample(torch.zeros(1, 2, 2), label)
    with pytest.raises(ValueError, match=r"s: seg_logits are of 1 classes.*names 3"):
        evaluate([binary])
    with pytest.raises(ValueError, match=r"s: seg_logits are of 4 classes.* 3.*num_classes"):
        evaluate([make_sample(torch.zeros(4, 2, 2), label)])
    with pytest.raises(ValueError, match=r"s: seg_logits are \(4, 4\), its label \(2, 2\).*ori"):
        evaluate([make_sample(torch.zeros(3, 4, 4), label)])
    with pytest.raises(ValueError, match=r"s: seg_logits .*NaN"):
        evaluate([make_sample(torch.full((3, 2, 2), math.nan), label)])
    for field in ("seg_logits", "gt_sem_seg"):
        sample = make_sample(logits, label)
        del sample[field]
        with pytest.raises(ValueError, match=f"s: no {field}.*CalibrationMetric"):
            evaluate([sample])


def test_one_sigmoid_channel_is_the_probability_of_class_1():
    """Confidence is that of the class by the head's threshold, 0.3 here."""
    probability = torch.tensor([[[0.1, 0.25, 0.4, 0.9]]])
    sample = SegDataSample(
        seg_logits=PixelData(data=probability),
        pred_sem_seg=PixelData(data=(probability > 0.3).float()),
        gt_sem_seg=PixelData(data=torch.tensor([[[0, 1, 1, 255]]])),
    )
    metric = build()
    metric.dataset_meta = dict(classes=("a", "b"))
    metric.process({}, [sample.to_dict()])
    scores = metric.evaluate(1)
    confidence, right = np.array([0.9, 0.75, 0.4]), np.array([1, 0, 1])
    assert scores["calibration/confidence"] == pytest.approx(100 * confidence.mean())
    expected = 100 * np.abs(right - confidence).mean()  # each pixel is in a bin of its own
    assert scores["calibration/ECE"] == pytest.approx(expected, rel=1e-6)

"""CloudIoUMetric: keys, regions, bins, streaming, files and errors."""

import json
import math

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from PIL import Image

from mmcloudseg.evaluation import CloudIoUMetric, scores_from_confusion
from mmcloudseg.evaluation.confusion import confusion_matrix


def make_sample(label, prediction, mask=None, name="s"):
    sample = SegDataSample(
        gt_sem_seg=PixelData(data=torch.as_tensor(label)[None]),
        pred_sem_seg=PixelData(data=torch.as_tensor(prediction)[None]),
    )
    if mask is not None:
        sample.gt_cloud_mask = PixelData(data=torch.as_tensor(mask)[None])
    sample.set_metainfo(dict(sample_name=name, img_path=f"folder/{name}.tif"))
    return sample.to_dict()


def make_metric(classes=("water", "land"), **kwargs):
    metric = METRICS.build(dict(type="CloudIoUMetric", **kwargs))
    metric.dataset_meta = dict(classes=classes)
    return metric


def evaluate(samples, batch=1, **kwargs):
    metric = make_metric(**kwargs)
    for start in range(0, len(samples), batch):
        metric.process({}, samples[start : start + batch])
    return metric.evaluate(len(samples))


def random_samples(count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        make_sample(
            rng.choice([0, 1, 2, 255], (9, 9)),
            rng.integers(0, 3, (9, 9)),
            (rng.random((30, 30)) < i / max(count - 1, 1)).astype(np.uint8),
            name=f"s{i}",
        )
        for i in range(count)
    ]


def test_values_by_hand():
    sample = make_sample(
        label=[[0, 0, 1, 1], [0, 1, 1, 255]],
        prediction=[[0, 1, 1, 0], [0, 1, 1, 1]],
        mask=np.array([[0, 0, 1, 1], [1, 1, 1, 1]], dtype=np.uint8),
    )
    metrics = evaluate([sample])
    assert metrics["aAcc"] == pytest.approx(500 / 7, rel=1e-15)
    assert metrics["IoU/water"] == 50.0
    assert metrics["IoU/land"] == 60.0
    assert metrics["mIoU"] == pytest.approx(55.0, rel=1e-15)
    assert metrics["Acc/land"] == 75.0
    assert metrics["Fscore/land"] == 75.0
    # Of the two clear pixels, both water, one is right.
    assert metrics["cloud_free/aAcc"] == 50.0
    assert metrics["cloud_free/mAcc"] == 50.0
    assert metrics["cloud_free/mIoU"] == 25.0
    assert math.isnan(metrics["cloud_free/Acc/land"])
    assert metrics["cloudy/aAcc"] == 80.0
    # 6 of 8 pixels are cloudy; all pixels of the sample go to its bin.
    assert metrics["cover_60-80/aAcc"] == metrics["aAcc"]
    assert math.isnan(metrics["cover_0-20/mIoU"])


def test_scores_are_not_rounded():
    label = np.zeros((3, 3), dtype=np.int64)
    prediction = label.copy()
    prediction[0, 0] = 1
    metrics = evaluate([make_sample(label, prediction)])
    assert metrics["aAcc"] == 100 * (8 / 9)
    assert isinstance(metrics["aAcc"], float)


def test_keys():
    with_mask = evaluate([make_sample([[0]], [[0]], np.zeros((3, 3), np.uint8))])
    summary = {"mIoU", "aAcc", "mAcc", "fwIoU", "mFscore"}
    by_class = {f"{s}/{c}" for s in ("IoU", "Acc", "Fscore") for c in ("water", "land")}
    regions = {f"{r}/{k}" for r in ("cloud_free", "cloudy") for k in summary | by_class}
    bins = {f"cover_{low}-{low + 20}/{k}" for low in range(0, 100, 20) for k in summary}
    assert set(with_mask) == summary | by_class | regions | bins
    assert set(evaluate([make_sample([[0]], [[0]])])) == summary | by_class


def test_prefix():
    metrics = evaluate([make_sample([[0]], [[0]])], prefix="teacher")
    assert metrics["teacher/aAcc"] == 100.0


@pytest.mark.parametrize("batch", [2, 5])
def test_streaming_equals_at_once(batch):
    samples = random_samples(5)
    classes = ("a", "b", "c")
    single = evaluate(samples, classes=classes)
    assert evaluate(samples, batch=batch, classes=classes) == pytest.approx(
        single, abs=0, nan_ok=True
    )
    label, prediction = (
        torch.stack([s[k]["data"] for s in samples]) for k in ("gt_sem_seg", "pred_sem_seg")
    )
    at_once = scores_from_confusion(confusion_matrix(label, prediction, 3))
    assert single["mIoU"] == 100 * at_once.mean_iou


def test_bins_hold_whole_samples():
    samples = random_samples(3)
    metrics = evaluate(samples, classes=("a", "b", "c"), cover_edges=(0, 50, 100))
    lower = sum(int(s["gt_cloud_mask"]["data"].sum()) * 2 < 900 for s in samples)
    assert lower in (1, 2)
    label, prediction = (
        torch.stack([s[key]["data"] for s in samples[:lower]])
        for key in ("gt_sem_seg", "pred_sem_seg")
    )
    expected = confusion_matrix(label, prediction, 3)
    assert metrics["cover_0-50/aAcc"] == 100 * scores_from_confusion(expected).overall_accuracy


def test_cover_is_measured_on_the_optical_grid():
    """Of ten columns three are cloudy, but none of the three that the label grid takes."""
    mask = np.zeros((10, 10), np.uint8)
    mask[:, [1, 2, 4]] = 1
    label = np.zeros((3, 3), np.int64)
    metrics = evaluate([make_sample(label, label, mask)])
    assert metrics["cover_20-40/aAcc"] == 100.0
    assert math.isnan(metrics["cover_0-20/aAcc"]) and math.isnan(metrics["cloudy/aAcc"])


def test_empty_regions_are_nan_and_dashes():
    sample = make_sample([[0, 1]], [[0, 1]], np.zeros((2, 4), np.uint8))
    metric = make_metric()
    lines = []
    metric.process({}, [sample])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "mmcloudseg.evaluation.metrics.cloud_iou.print_log",
            lambda message, logger: lines.append(message),
        )
        metrics = metric.evaluate(1)
    assert math.isnan(metrics["cloudy/mIoU"]) and math.isnan(metrics["cloudy/IoU/land"])
    summary, by_class = lines
    cloudy = next(line for line in summary.splitlines() if line.startswith("| cloudy"))
    assert [c.strip() for c in cloudy.strip("|").split("|")] == [
        "cloudy",
        "1",
        "0",
        "-",
        "-",
        "-",
        "-",
        "-",
    ]
    assert "cover 80-100 %" in summary
    assert "100.00" in next(line for line in by_class.splitlines() if "land" in line)


def test_results_stay_small_and_one_per_sample():
    metric = make_metric(classes=tuple("abc"))
    metric.process({}, random_samples(4))
    assert len(metric.results) == 4
    assert all(r["matrices"].shape == (3, 3, 3) for r in metric.results)
    # Distributed collection repeats samples to fill the last batch and cuts them off by number.
    metric.process({}, random_samples(1))
    expected = evaluate(random_samples(4), classes=tuple("abc"))
    assert metric.evaluate(4) == pytest.approx(expected, abs=0, nan_ok=True)
    assert metric.results == []


def test_samples_with_and_without_mask():
    masked = make_sample([[0, 1]], [[0, 0]], np.ones((1, 2), np.uint8))
    metrics = evaluate([masked, make_sample([[1, 1]], [[1, 1]])])
    assert metrics["aAcc"] == 75.0
    assert metrics["cloudy/aAcc"] == 50.0
    assert metrics["cover_80-100/aAcc"] == 50.0


def test_predictions_are_written(tmp_path):
    sample = make_sample([[0, 1], [0, 1]], [[1, 0], [0, 0]], name="place")
    metrics = evaluate([sample], output_dir=str(tmp_path))
    assert metrics["aAcc"] == 25.0
    assert np.asarray(Image.open(tmp_path / "place.png")).tolist() == [[1, 0], [0, 0]]


def test_writing_predictions_changes_no_setting(tmp_path, monkeypatch):
    metric = make_metric(output_dir=str(tmp_path))
    changed = []
    monkeypatch.setattr(CloudIoUMetric, "__setattr__", lambda _, name, value: changed.append(name))
    metric.process({}, [make_sample([[0, 1]], [[1, 0]], name="place")])
    assert changed == [] and len(metric.results) == 1
    assert (tmp_path / "place.png").is_file()


def test_format_only_needs_no_label(tmp_path):
    sample = make_sample([[0, 1], [0, 1]], [[1, 0], [0, 0]], name="place")
    del sample["gt_sem_seg"]
    assert evaluate([sample], output_dir=str(tmp_path), format_only=True) == {}
    assert (tmp_path / "place.png").is_file()


def test_errors():
    with pytest.raises(ValueError, match=r"format_only=True .*set output_dir"):
        CloudIoUMetric(format_only=True)
    with pytest.raises(ValueError, match=r"cover_edges .*\(0, 50, 50\), expected \(\) or 2"):
        CloudIoUMetric(cover_edges=(0, 50, 50))
    no_label = make_sample([[0]], [[0]])
    del no_label["gt_sem_seg"]
    with pytest.raises(ValueError, match=r"s: no gt_sem_seg.*with_label=True"):
        evaluate([no_label])
    with pytest.raises(ValueError, match=r"s: prediction is \(2, 2\), its label \(1, 1\).*ori"):
        evaluate([make_sample([[0]], [[0, 0], [0, 0]])])
    with pytest.raises(ValueError, match=r"s: .*class 5 .*0 to \d.*num_classes"):
        evaluate([make_sample([[0]], [[5]])])
    metric = CloudIoUMetric()
    with pytest.raises(ValueError, match=r"CloudIoUMetric: dataset_meta .*classes"):
        metric.process({}, [make_sample([[0]], [[0]])])


@pytest.mark.parametrize(
    ("prefix", "case"),
    [("a", "synthetic_a_streamed"), ("b", "synthetic_b_absent_classes_and_mask_value_2")],
)
def test_golden_scores_through_the_metric(shared, prefix, case):
    folder = shared / "parity" / "real"
    golden = json.loads((folder / "metrics.json").read_text())[case]
    data = np.load(folder / "metrics_inputs.npz", allow_pickle=False)
    samples = [
        make_sample(label, prediction, mask.astype(np.uint8))
        for label, prediction, mask in zip(
            data[f"{prefix}_label"],
            data[f"{prefix}_pred"],
            data[f"{prefix}_cloudmask"],
            strict=True,
        )
    ]
    classes = tuple("012345")
    metrics = evaluate(samples, classes=classes)
    keys = {"Overall Acc": "aAcc", "Mean Acc": "mAcc", "FreqW Acc": "fwIoU", "Mean IoU": "mIoU"}
    for region, start in (("all", ""), ("cloudfree", "cloud_free/"), ("cloudy", "cloudy/")):
        for theirs, ours in keys.items():
            assert metrics[start + ours] == 100 * golden[region][theirs]
        for name, value in golden[region]["Class IoU"].items():
            expected = math.nan if value is None else 100 * value
            np.testing.assert_equal(metrics[f"{start}IoU/{name}"], expected)


def test_beta_and_ignore_index_reach_the_scores():
    sample = make_sample([[0, 0, 0, 1]], [[0, 1, 1, 0]])
    # Recall 1/3 and precision 1/2 of water: 5 PR / (4 P + R).
    fscore = evaluate([sample], beta=2.0)["Fscore/water"]
    assert fscore == pytest.approx(100 * (5 / 6) / (2 + 1 / 3), rel=1e-12)
    assert evaluate([sample], ignore_index=1)["aAcc"] == pytest.approx(100 / 3, rel=1e-12)


def test_table_counts_the_samples_with_a_mask(monkeypatch):
    lines = []
    monkeypatch.setattr(
        "mmcloudseg.evaluation.metrics.cloud_iou.print_log",
        lambda message, logger: lines.append(message),
    )
    masked = make_sample([[0, 1]], [[0, 0]], np.ones((1, 2), np.uint8))
    evaluate([masked, make_sample([[1, 1]], [[1, 1]])])
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[0].splitlines()]
    counts = {c[0]: c[1:3] for c in cells if len(c) > 2}
    assert counts["all"] == ["2", "4"] and counts["cloudy"] == ["1", "2"]


def test_matrices_of_each_sample_are_kept():
    samples = random_samples(4)
    samples[1]["area"] = "north"
    metric = make_metric(classes=tuple("abc"))
    assert metric.samples == []
    metric.process({}, samples)
    # Distributed collection's filling is cut off here too.
    metric.process({}, samples[:1])
    metrics = metric.evaluate(4)
    assert [s.name for s in metric.samples] == ["s0", "s1", "s2", "s3"]
    assert [s.area for s in metric.samples] == ["s0", "north", "s2", "s3"]
    covers = [100 * float(s["gt_cloud_mask"]["data"].double().mean()) for s in samples]
    assert [s.cover for s in metric.samples] == pytest.approx(covers)
    for index, region in enumerate(("", "cloud_free/", "cloudy/")):
        total = sum(s.matrices[index] for s in metric.samples)
        assert 100 * scores_from_confusion(total).mean_iou == metrics[f"{region}mIoU"]
    metric.process({}, [make_sample([[0]], [[0]])])
    metric.evaluate(1)
    assert len(metric.samples) == 1 and math.isnan(metric.samples[0].cover)

"""What a test leaves in its folder: scores, matrices and histograms that agree."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.benchmark.differences import stack_runs
from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.runs import RunSettings
from mmcloudseg.evaluation import scores_from_confusion
from mmcloudseg.evaluation.arrays import (
    calibration_to_npz,
    confusion_to_npz,
    load_arrays,
)
from mmcloudseg.evaluation.bootstrap import compare_methods
from mmcloudseg.evaluation.calibration import CONFIDENCE_BINS, ConfidenceHistogram
from mmcloudseg.evaluation.confusion import SampleConfusion

REGIONS = {"all": "", "cloud_free": "cloud_free/", "cloudy": "cloudy/"}


@pytest.fixture
def untrained(root, small_student, tmp_path):
    """Config and checkpoint of a narrow student that has learnt nothing."""
    config = str(root / "configs/cloudseg_student_mini.py")
    torch.manual_seed(0)
    init_default_scope("mmseg")
    model = MODELS.build(load_config(config, small_student).model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "model.pth")
    return config, str(tmp_path / "model.pth")


def test_files_of_a_test(mini, untrained, small_student, tmp_path):
    out = tmp_path / "test"
    scores = run_test(
        *untrained,
        RunSettings(work_dir=str(tmp_path / "log"), options=small_student, data_root=str(mini)),
        out_dir=str(out),
    )
    assert {p.name for p in out.iterdir()} == {
        "calibration.npz", "confusion.npz", "label_maps", "scores.json"
    }  # fmt: skip
    written = json.loads((out / "scores.json").read_text())
    assert written["calibration/ECE"] == pytest.approx(scores["calibration/ECE"])

    confusion = load_arrays(out / "confusion.npz")
    assert set(confusion) == {"names", "areas", "cover", "matrices", "classes"}
    assert confusion["matrices"].dtype == np.int64 and confusion["matrices"].shape == (2, 3, 6, 6)
    assert confusion["classes"].tolist()[0] == "forest"
    assert [n.split("_")[1] for n in confusion["names"]] == confusion["areas"].tolist()
    assert {f"{name}.tif" for name in confusion["names"]} == {
        p.name for p in (out / "label_maps").iterdir()
    }
    assert ((confusion["cover"] >= 0) & (confusion["cover"] <= 100)).all()
    calibration = load_arrays(out / "calibration.npz")
    names = {f"{r}_{k}" for r in REGIONS for k in ("count", "correct", "confidence_sum")}
    assert set(calibration) == {"edges"} | names
    assert len(calibration["edges"]) == len(calibration["all_count"]) + 1
    for index, (region, prefix) in enumerate(REGIONS.items()):
        total = scores_from_confusion(confusion["matrices"][:, index].sum(axis=0))
        assert 100 * total.mean_iou == pytest.approx(scores[f"{prefix}mIoU"], nan_ok=True)
        assert calibration[f"{region}_count"].sum() == total.pixels
        right = int(np.trace(confusion["matrices"][:, index].sum(axis=0)))
        assert calibration[f"{region}_correct"].sum() == right

    stacked, areas = stack_runs({"a": [confusion], "b": [confusion]}, "cloudy")
    assert compare_methods(stacked, areas, "b")[0].difference == 0


def test_without_calibration_there_is_no_such_file(mini, untrained, small_student, tmp_path):
    options = {**small_student, "test_evaluator": [dict(type="CloudRemovalMetric")]}
    run_test(
        *untrained,
        RunSettings(work_dir=str(tmp_path / "log"), options=options, data_root=str(mini)),
        out_dir=str(tmp_path / "test"),
    )
    names = {p.name for p in (tmp_path / "test").iterdir()}
    assert names == {"label_maps", "scores.json"}


def test_arrays_are_whole_and_plain(tmp_path):
    sample = SampleConfusion("s", "north", float("nan"), np.ones((3, 2, 2), dtype=np.int32))
    path = tmp_path / "new" / "confusion.npz"
    confusion_to_npz([sample], ["wäter", "land"], path)
    confusion_to_npz([sample], ["wäter", "land"], path)
    arrays = load_arrays(path)
    assert arrays["classes"].tolist() == ["wäter", "land"] and arrays["areas"].dtype.kind == "U"
    assert np.isnan(arrays["cover"]).all() and arrays["matrices"].dtype == np.int64
    assert [p.name for p in path.parent.iterdir()] == ["confusion.npz"]
    nothing = ConfidenceHistogram(*np.zeros((3, CONFIDENCE_BINS)))
    calibration_to_npz(dict(all=nothing), tmp_path / "calibration.npz")
    assert load_arrays(tmp_path / "calibration.npz")["all_count"].sum() == 0


def test_unreadable_arrays(tmp_path):
    with pytest.raises(ValueError, match=r"none\.npz' cannot be read.*No such file.*--out DIR"):
        load_arrays(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match=r"broken\.npz' .*--out DIR"):
        load_arrays(tmp_path / "broken.npz")
    np.savez(tmp_path / "code.npz", names=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match=r"code\.npz' .*--out DIR"):
        load_arrays(tmp_path / "code.npz")

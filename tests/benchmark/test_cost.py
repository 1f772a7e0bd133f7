from __future__ import annotations

import dataclasses
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmcloudseg.benchmark import cost
from mmcloudseg.benchmark.memory import call_in_new_process, peak_mb
from mmcloudseg.benchmark.suite import Method


class Net(nn.Module):
    """A 3 x 3 convolution from 2 to 4 bands and a 1 x 1 to 3; its forward does nothing."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.b = nn.Conv2d(4, 3, 1)

    def predict(self, image):
        return self.b(self.a(image))


def test_multiply_adds_of_a_known_network():
    found = cost.multiply_adds(Net().eval(), torch.rand(1, 2, 10, 8))
    assert found == 10 * 8 * (2 * 4 * 9 + 4 * 3)


def test_multiply_adds_within_fused_attention():
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.MultiheadAttention(8, 2, batch_first=True)

        def predict(self, tokens):
            return self.layer(tokens, tokens, tokens)

    length, width = 5, 8
    expected = 4 * length * width**2 + 2 * length**2 * width
    assert cost.multiply_adds(Attends().eval(), torch.rand(1, length, width)) == expected
    assert torch.backends.mha.get_fastpath_enabled()


def test_milliseconds_is_the_median_after_warming_up():
    sleeps = iter([0.1, 0.001, 0.02, 0.001])
    assert 1 <= cost.milliseconds(lambda: time.sleep(next(sleeps)), 1, 3) < 15


def test_default_shape():
    cfg = Config(
        dict(
            model=dict(
                data_preprocessor=dict(optical=dict(low=[0] * 4), sar=dict(low=[0] * 2)),
                test_cfg=dict(crop_size=(160, 120)),
            )
        )
    )
    assert cost.default_shape(cfg) == (6, 160, 120)
    del cfg.model.data_preprocessor.optical
    assert cost.default_shape(cfg) == (2, 160, 120)
    cfg.model.data_preprocessor = dict(mean=[0, 0, 0])
    assert cost.default_shape(cfg) == (3, 160, 120)
    with pytest.raises(ValueError, match=r"set input_shape=\(bands, height, width\)"):
        cost.default_shape(Config(dict(model=dict(test_cfg=None))))


@pytest.fixture
def two(suite, monkeypatch):
    """Two listed methods whose measurement is counted."""
    calls = []

    def measure(method, shape, options):
        calls.append(method.key)
        if method.key == "sar":
            raise RuntimeError("no memory")
        return dict(gflops=1.0)

    monkeypatch.setattr(cost, "measure", measure)
    return suite, calls


def test_costs_are_measured_once_and_together(two, tmp_path):
    suite, calls = two
    cache = tmp_path / "cost.json"
    first = cost.measure_suite(suite, cache, {})
    assert first == (dict(student=dict(gflops=1.0)), ["cost of sar: RuntimeError: no memory"])
    assert cost.measure_suite(suite, cache, {}) == first
    assert calls == ["student", "sar"]
    # Another model, another machine or the wish to: all are measured again.
    cost.measure_suite(suite, cache, {"model.backbone.init_cfg": "x"})
    cost.measure_suite(suite, cache, {}, remeasure=True)
    assert calls == ["student", "sar"] * 3
    shaped = dataclasses.replace(suite, input_shape=(6, 8, 8))
    assert cost.measure_suite(shaped, cache, {}) == cost.measure_suite(shaped, cache, {})
    assert calls == ["student", "sar"] * 4


@pytest.mark.slow
def test_a_shipped_distillation_costs_what_its_student_does(root):
    found = cost.measure(Method("a", "A", root / "configs/cloudseg_mini.py"), None, {})
    assert found["parameters_m"] == 16.382778
    # Cloud removal is part of its predictions: 5.91 GFLOPs at 2 per multiply-add.
    assert found["gflops"] == pytest.approx(5.91 / 2, abs=0.005)
    assert found["milliseconds"] > 1
    assert 60 < found["peak_mb"] < 1000  # its weights are 66 MB


def test_a_new_process_has_a_peak_and_errors_of_its_own():
    held = np.ones(40_000_000, dtype=np.uint8)  # 40 MB, which the new process does not have
    assert call_in_new_process(len, "abc") == 3
    assert call_in_new_process(os.getpid) != os.getpid()
    assert call_in_new_process(peak_mb) < peak_mb() - held.nbytes / 1e6
    with pytest.raises(ValueError, match="'x'"):
        call_in_new_process(int, "x")


def test_the_peak_of_a_prediction(monkeypatch):
    """A prediction of 1 x 30 x 1000 x 1000 float32 takes 120 MB."""
    model = SimpleNamespace(predict=lambda image: image.expand(1, 30, 1000, 1000).clone())
    monkeypatch.setattr(cost, "build_model", lambda cfg: model)
    found = cost.prediction_mb(Config(dict(model=dict())), (1, 1000, 1000))
    assert 115 < found < 160

"""Data are looked at before a run."""

import logging
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmcloudseg.datasets.content_checks import ContentReport
from mmcloudseg.engine import runs
from mmcloudseg.utils.errors import DataError

RANGES = dict(low=[0], high=[1])


@pytest.fixture
def runner():
    preprocessor = dict(optical=RANGES)
    cfg = Config(
        dict(
            model=dict(architecture=dict(data_preprocessor=preprocessor)),
            train_dataloader={},
            val_dataloader=None,
        )
    )
    inner = [SimpleNamespace(name="a"), SimpleNamespace(name="b")]
    return SimpleNamespace(
        cfg=cfg, train_dataloader=SimpleNamespace(dataset=SimpleNamespace(datasets=inner))
    )


def test_problems_of_all_datasets_are_in_one_error(runner, monkeypatch):
    seen = []

    def check(dataset, ranges):
        seen.append((dataset.name, ranges["optical"]["high"]))
        return ContentReport([f"{dataset.name}.tif: odd", "twice"])

    monkeypatch.setattr(runs, "check_contents", check)
    with pytest.raises(DataError, match=r"\(3 in all\)[\s\S]*a\.tif[\s\S]*--no-value-check"):
        runs.check_data(runner, ("train", "val"))
    assert seen == [("a", [1]), ("b", [1])]


def test_warnings_do_not_stop(runner, monkeypatch, caplog):
    monkeypatch.setattr(runs, "check_contents", lambda *_: ContentReport([], ["mind this"]))
    said = []
    monkeypatch.setattr(runs, "print_log", lambda text, **kwargs: said.append((text, kwargs)))
    runs.check_data(runner, ("train",))
    assert said == [("mind this", dict(logger="current", level=logging.WARNING))]

"""The scores of a model under clouds and with a modality missing, on the same images."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS
from tqdm import tqdm

from mmcloudseg.benchmark.plots import draw_robustness, save
from mmcloudseg.benchmark.robustness_curve import SCORES, RobustnessCurve, Scores
from mmcloudseg.benchmark.robustness_points import (
    Point,
    RobustnessSettings,
    list_points,
    pipeline_of,
    simulation_settings,
)
from mmcloudseg.datasets import ConcatDataset, OpticalSARDataset
from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.engine.checkpoints import load_whole_checkpoint
from mmcloudseg.engine.configs import apply_options, load_config, student_only
from mmcloudseg.engine.loaders import refuse_empty_loader
from mmcloudseg.engine.model_description import accepts_missing_modality
from mmcloudseg.utils.config_types import type_class, type_name
from mmcloudseg.utils.files import write_text


def robustness(
    config: str,
    checkpoint: str,
    out: str | Path | None = None,
    settings: RobustnessSettings | None = None,
    options: Mapping[str, Any] | None = None,
    data_root: str | None = None,
) -> RobustnessCurve:
    """Test a checkpoint under simulated clouds of each cover and kind, and without a modality.

    The clear images of the test set get the same clouds for every model: the clouds of a sample
    depend only on its name and the seed, and clouds of a higher cover extend those of a lower one.
    A cover of 0 is the clear image. If the config tests on cloud-free images, as that of a teacher
    does, the images stay clear and the curve is flat.

    Writes ``robustness.csv``, ``.md``, ``.png`` and, last, ``.json`` to ``out``, by default the
    folder ``robustness`` in the work dir of the config. Of a distillation, the student is tested,
    and ``options`` are dotted keys of its config.

    Raises:
        FileNotFoundError: The config or the checkpoint does not exist.
        ValueError: Data, checkpoint or config do not fit, or the config does not describe how
            clouds look to its sensor.
    """
    settings = settings or RobustnessSettings()
    cfg = _load(config, options, data_root)
    out = Path(out) if out is not None else Path(cfg.work_dir) / "robustness"
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"checkpoint '{checkpoint}' does not exist")
    cfg.work_dir = str(out)

    datasets = _datasets(cfg, settings)
    runner = Runner.from_cfg(cfg)
    _check_missing(runner.model, settings.missing)
    load_whole_checkpoint(runner, checkpoint)
    measured: dict[Point, Scores] = {}
    samples = len(next(iter(datasets.values())))
    total = len(datasets) * samples
    with tqdm(total=total, desc="robustness", unit="image", dynamic_ncols=True) as bar:
        for point, dataset in datasets.items():
            bar.set_postfix_str(str(point))
            measured[point] = _measure(runner, dataset, bar)
    clouds = {k: {c: measured[Point.under(k, c)] for c in settings.covers} for k in settings.kinds}
    missing = {name: measured[Point(missing=name)] for name in settings.missing}
    curve = RobustnessCurve(clouds, missing, measured.get(Point(), {}))
    facts = dict(config=Path(config).name, samples=samples, seed=settings.seed)
    simulated_clouds = simulation_settings(cfg) if settings.kinds else None
    _write(curve, out, dict(facts, simulated_clouds=simulated_clouds))
    return curve


def _write(curve: RobustnessCurve, out: Path, facts: Mapping[str, Any]) -> None:
    """Write the four files; ``facts`` are further content of the JSON file."""
    title = Path(facts["config"]).stem
    heading = f"{facts['samples']} test images, cloud seed {facts['seed']}."
    write_text(out / "robustness.csv", curve.to_csv())
    parts = [f"# Robustness of {title}", heading, curve.to_markdown()]
    write_text(out / "robustness.md", "\n\n".join(parts) + "\n")
    save(draw_robustness(curve, title), out / "robustness.png")
    # Last, so that the other files exist if this one does.
    content = json.dumps({**curve.to_json(), **facts}, indent=1, allow_nan=False)
    write_text(out / "robustness.json", content + "\n")


def _load(config: str, options: Mapping[str, Any] | None, data_root: str | None) -> Config:
    options = options or {}
    cfg = student_only(load_config(config, None, data_root or options.get("data_root")))
    apply_options(cfg, options)
    if cfg.get("test_dataloader") is None:
        raise ValueError(f"'{config}' has no test_dataloader: add one, its images are tested")
    # The cloud-free image, which the auxiliary head predicts, is not used here.
    if (cfg.model.get("test_cfg") or {}).get("cloud_free"):
        cfg.model.test_cfg.cloud_free = False
    cfg.load_from, cfg.resume = None, False
    # A table for each point would bury the progress bar.
    cfg.log_level = "WARNING"
    return cfg


def _datasets(cfg: Config, settings: RobustnessSettings) -> dict[Point, Any]:
    """A dataset for each point; files and pipelines are tried before anything is measured.

    Datasets that the test set joins are joined; those that it repeats are taken once.
    """
    init_default_scope(cfg.get("default_scope", "mmseg"))
    points = list_points(settings)
    inner = [
        _datasets_of(described, points, cfg, settings.seed)
        for described in inner_datasets(cfg.test_dataloader.dataset)
    ]
    for chosen in inner:
        for dataset in {(p.kind, p.missing): dataset for p, dataset in chosen.items()}.values():
            dataset[0]
    return {point: _joined([chosen[point] for chosen in inner]) for point in points}


def _datasets_of(
    described: Mapping[str, Any], points: Sequence[Point], cfg: Config, seed: int
) -> dict[Point, OpticalSARDataset]:
    """One of the test set's own datasets, with the pipeline of each point."""
    steps = described.get("pipeline", [])
    read: dict[str, OpticalSARDataset] = {}
    chosen = {}
    for point in points:
        clouds = described.get("clouds", "stored") if point.kind is None else "simulated"
        if clouds not in read:
            read[clouds] = _dataset(copy.deepcopy({**described, "clouds": clouds}))
        # Lists and headers are read once for all pipelines.
        chosen[point] = copy.copy(read[clouds])
        chosen[point].pipeline = Compose(pipeline_of(steps, point, cfg, seed))
    return chosen


def _joined(datasets: Sequence[OpticalSARDataset]) -> Any:
    if len(datasets) == 1:
        return datasets[0]
    # Only the classes count in what is measured.
    other = {key for dataset in datasets for key in dataset.metainfo} - {"classes"}
    return ConcatDataset(datasets, ignore_keys=sorted(other))


def _dataset(described: Mapping[str, Any]) -> OpticalSARDataset:
    kind = type_class(described, DATASETS)
    if kind is None or not issubclass(kind, OpticalSARDataset):
        raise ValueError(
            f"test_dataloader.dataset is a {type_name(described)}, expected OpticalSARDataset or "
            "a subclass, which pairs optical and SAR images: describe the data by one of them"
        )
    return DATASETS.build(dict(described, pipeline=[]))


def _check_missing(model: torch.nn.Module, missing: Sequence[str]) -> None:
    if missing and not accepts_missing_modality(model):
        preprocessor = getattr(model, "module", model).data_preprocessor
        raise ValueError(
            f"model.data_preprocessor is a {type(preprocessor).__name__}, which has no value for "
            "a missing modality: use CloudSegDataPreprocessor(missing_val=…), or --no-missing"
        )


@torch.inference_mode()
def _measure(runner: Runner, dataset: Any, bar: tqdm) -> Scores:
    loader_cfg = {**runner.cfg.test_dataloader, "dataset": dataset, "persistent_workers": False}
    loader = runner.build_dataloader(loader_cfg, seed=runner.seed)
    refuse_empty_loader(loader, "test_dataloader")
    evaluator = runner.build_evaluator(_metrics(runner.cfg))
    evaluator.dataset_meta = dataset.metainfo
    runner.model.eval()
    for batch in loader:
        outputs = runner.model.test_step(batch)
        evaluator.process(data_samples=outputs, data_batch=batch)
        bar.update(len(outputs))
    scores = evaluator.evaluate(len(dataset))
    return {key: float(scores[key]) for key in SCORES}


def _metrics(cfg: Config) -> list[dict]:
    """The land-cover metric of the config, without the settings that make it write files."""
    entries = cfg.get("test_evaluator") or []
    if isinstance(entries, Mapping):
        entries = entries.get("metrics", entries)  # of an evaluator of several, or one metric
    entries = entries if isinstance(entries, Sequence) else [entries]
    own = [entry for entry in entries if type_name(entry) == "CloudIoUMetric"] or [{}]
    kept = [key for key in ("ignore_index", "beta", "collect_device") if key in own[0]]
    return [dict(type="CloudIoUMetric", **{key: own[0][key] for key in kept})]

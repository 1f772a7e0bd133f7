"""Testing a checkpoint: scores, pictures, label maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric

from mmcloudseg.engine.checkpoints import load_whole_checkpoint
from mmcloudseg.engine.configs import apply_options, load_config, student_only
from mmcloudseg.engine.head_checks import check_classes
from mmcloudseg.engine.loaders import refuse_empty_loader
from mmcloudseg.engine.runs import RunSettings, build_runner, check_data
from mmcloudseg.evaluation import CalibrationMetric, CloudIoUMetric
from mmcloudseg.evaluation.arrays import (
    CALIBRATION_FILE,
    CONFUSION_FILE,
    calibration_to_npz,
    confusion_to_npz,
)
from mmcloudseg.evaluation.report import format_scores, scores_to_json


def test(
    config: str,
    checkpoint: str,
    run: RunSettings | None = None,
    *,
    show_dir: str | None = None,
    out_dir: str | None = None,
) -> dict[str, float]:
    """Test a checkpoint on a config's test set and print the score table.

    Args:
        config: The config file; of a distillation, the student is tested.
        checkpoint: The checkpoint file.
        run: Work dir, data root, options and the like; the options are those of the student.
        show_dir: Folder for pictures.
        out_dir: Folder for ``scores.json`` and ``label_maps/``, and for ``confusion.npz`` and
            ``calibration.npz`` where the evaluator has those metrics.

    Returns:
        The scores by key.

    Raises:
        FileNotFoundError: The config or checkpoint does not exist.
        ValueError: Data or checkpoint do not fit the config.
    """
    run = run or RunSettings()
    data_root = run.data_root or run.options.get("data_root")
    cfg = student_only(load_config(config, None, data_root, run.work_dir, None, run.launcher))
    apply_options(cfg, run.options)
    run.adjust(cfg)
    check_classes(cfg, ["test_dataloader"])
    _add_outputs(cfg, show_dir, out_dir)
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"checkpoint '{checkpoint}' does not exist")
    if cfg.get("test_dataloader") is None:
        raise ValueError(f"'{config}' has no test_dataloader: add one, its images are tested")
    cfg.load_from, cfg.resume = None, False

    runner = build_runner(cfg)
    refuse_empty_loader(runner.test_dataloader, "test_dataloader")
    if run.check_values:
        check_data(runner, ("test",))
    load_whole_checkpoint(runner, checkpoint)
    scores = runner.test()
    if is_main_process():
        classes = runner.test_dataloader.dataset.metainfo["classes"]
        print(format_scores(scores, classes))
        if out_dir is not None:
            _write_arrays(runner.test_evaluator.metrics, classes, Path(out_dir))
            # Last: whoever finds it may rely on the others.
            scores_to_json(scores, Path(out_dir) / "scores.json")
            print(f"Scores, matrices by sample, calibration and label maps: {out_dir}")
        if show_dir is not None:
            print(f"Pictures: {Path(show_dir) / 'overview.png'}")
    return scores


def _write_arrays(metrics: Sequence[BaseMetric], classes: Sequence[str], folder: Path) -> None:
    for metric in metrics:
        if isinstance(metric, CloudIoUMetric) and metric.samples:
            confusion_to_npz(metric.samples, classes, folder / CONFUSION_FILE)
        elif isinstance(metric, CalibrationMetric) and metric.histograms:
            calibration_to_npz(metric.histograms, folder / CALIBRATION_FILE)


def _add_outputs(cfg: Config, show_dir: str | None, out_dir: str | None) -> None:
    if show_dir is not None:
        hook = ConfigDict(type="CloudSegVisualizationHook", draw=True, out_dir=show_dir)
        cfg.default_hooks.visualization = hook
    if out_dir is not None:
        hook = ConfigDict(type="LabelMapHook", out_dir=str(Path(out_dir) / "label_maps"))
        cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), hook]

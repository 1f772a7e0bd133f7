"""The evaluator of the shipped configs."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from mmengine.evaluator import Evaluator
from mmseg.evaluation import IoUMetric
from mmseg.registry import EVALUATOR, METRICS

from mmcloudseg.utils.config_types import type_class


@EVALUATOR.register_module()
class CloudSegEvaluator(Evaluator):
    """MMEngine's evaluator of several metrics that MMSegmentation's ``test.py --out`` can set.

    That tool writes its settings into ``test_evaluator``, which cannot be a list for it.

    Args:
        metrics: Configs of the metrics.
        output_dir: Where predictions are written, by the first metric that counts land cover.
        keep_results: Accepted because MMSegmentation's tool sets it; predictions are always kept.
    """

    def __init__(
        self, metrics: Sequence[dict], output_dir: str | None = None, keep_results: bool = True
    ) -> None:
        metrics = copy.deepcopy(list(metrics))
        if output_dir is not None:
            next(m for m in metrics if _counts_land_cover(m))["output_dir"] = output_dir
        super().__init__(metrics)


def _counts_land_cover(metric: dict) -> bool:
    made = type_class(metric, METRICS)
    return made is not None and issubclass(made, IoUMetric)

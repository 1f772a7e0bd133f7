"""The cost of a method at inference: parameters, operations, time and memory."""

from __future__ import annotations

import json
import statistics
import timeit
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from mmcloudseg.benchmark.environment import machine
from mmcloudseg.benchmark.memory import call_in_new_process, forget_peak, peak_mb
from mmcloudseg.benchmark.suite import Method, Suite
from mmcloudseg.engine.configs import load_config, networks
from mmcloudseg.engine.model_description import value_ranges
from mmcloudseg.utils.files import write_text


def measure_suite(
    suite: Suite, cache: Path, options: Mapping[str, Any], remeasure: bool = False
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Measure every listed method, unless the costs on this machine are in the cache file.

    Options are those of the command line; options of the methods take precedence.

    Returns:
        Key of the method -> cost as by ``measure``; and a list of what could not be measured.
    """
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True  # as in the configs
    models = {m.key: _config(m, options).model.to_dict() for m in suite.listed}
    methods = {key: dict(model=m, input_shape=suite.input_shape) for key, m in models.items()}
    now = json.loads(json.dumps(dict(machine=machine(), methods=methods), default=str))
    known = json.loads(cache.read_text()) if cache.is_file() else {}
    # All times of a table are from one pass on one machine, otherwise they cannot be compared.
    if not remeasure and {key: known.get(key) for key in now} == now:
        return known["costs"], known["problems"]
    costs, problems = {}, []
    for method in tqdm(suite.listed, desc="cost", unit="method", dynamic_ncols=True):
        try:
            costs[method.key] = measure(method, suite.input_shape, options)
        except Exception as error:  # a model may raise anything; the others still have a cost
            problems.append(f"cost of {method.key}: {type(error).__name__}: {error}")
    write_text(cache, json.dumps({**now, "costs": costs, "problems": problems}, indent=2) + "\n")
    return costs, problems


def measure(
    method: Method, input_shape: Sequence[int] | None, options: Mapping[str, Any]
) -> dict[str, float]:
    """Measure a method at inference, or the student of a distillation.

    The image has the bands, height and width of ``input_shape``, or those of the config.

    Returns:
        ``parameters_m`` in millions, ``gflops`` (a multiply-add counts as one operation, as in the
        papers), ``milliseconds`` per image (median, batch size 1) and ``peak_mb``.
    """
    cfg = _config(method, options)
    shape = tuple(input_shape or default_shape(cfg))
    model = build_model(cfg)
    image = torch.rand(1, *shape, device=_device())
    found = dict(
        parameters_m=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        gflops=multiply_adds(model, image) / 1e9,
        milliseconds=milliseconds(lambda: model.predict(image)),
    )
    if image.device.type == "cpu":
        return found | dict(peak_mb=call_in_new_process(prediction_mb, cfg, shape))
    torch.cuda.reset_peak_memory_stats()
    with torch.no_grad():
        model.predict(image)
    return found | dict(peak_mb=torch.cuda.max_memory_allocated() / 1e6)


def default_shape(cfg: Config) -> tuple[int, int, int]:
    """Return the bands and the window (height and width) of a config.

    Raises:
        ValueError: The config does not state them.
    """
    size = (cfg.model.get("test_cfg") or {}).get("crop_size")
    preprocessor = cfg.model.get("data_preprocessor") or {}
    bands = sum(len(limits["low"]) for limits in value_ranges(cfg.model).values())
    bands = bands or len(preprocessor.get("mean") or ())  # MMSegmentation's own
    if size is None or not bands:
        raise ValueError(
            f"{cfg.filename}: has no model.test_cfg.crop_size or no bands in its "
            "data_preprocessor; set input_shape=(bands, height, width) in the suite"
        )
    return bands, *size


def build_model(cfg: Config) -> BaseSegmentor:
    """Build the network used for predictions, with random weights, which cost the same."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    return MODELS.build(dict(cfg.model)).to(_device()).eval()


def multiply_adds(model: BaseSegmentor, image: Tensor) -> float:
    """Count the multiply-adds of a prediction: matrix products, convolutions and attention.

    ``get_model_complexity_info`` of MMEngine traces ``forward``, which leaves out what only
    predictions run (cloud removal, the windows), and does not count fused attention.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # the counter sees nothing inside it
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.predict(image)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops() / 2


def milliseconds(call: Callable[[], Any], warm_up: int = 3, repeats: int = 10) -> float:
    """Measure the median time of a call without gradients."""

    def finished_call() -> None:
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    with torch.no_grad():
        times = timeit.repeat(finished_call, number=1, repeat=warm_up + repeats)
    return 1000 * statistics.median(times[warm_up:])


def prediction_mb(cfg: Config, shape: Sequence[int]) -> float:
    """Return the megabytes by which this process grows for the model and one prediction."""
    forget_peak()
    before = peak_mb()
    model = build_model(cfg)
    with torch.no_grad():
        model.predict(torch.rand(1, *shape))
    return peak_mb() - before


def _config(method: Method, options: Mapping[str, Any]) -> Config:
    cfg = load_config(str(method.config), {**options, **method.options})
    cfg.model = networks(cfg)[0]
    return cfg


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"

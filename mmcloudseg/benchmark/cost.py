"""What a method costs at inference: parameters, operations, time and memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmcloudseg.benchmark.environment import machine
from mmcloudseg.benchmark.suite import Method, Suite
from mmcloudseg.engine.configs import load_config, networks
from mmcloudseg.engine.model_description import value_ranges
from mmcloudseg.utils.config_types import with_named_types
from mmcloudseg.utils.files import atomic_write

_WARM_UP = 3
_REPEATS = 10
_MEGA = 1e6


def measure_suite(
    suite: Suite,
    cache: Path,
    options: Mapping[str, Any] | None = None,
    remeasure: bool = False,
    progress: Callable[[Sequence[Method]], Iterable[Method]] = iter,
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Measure every listed method, one after another; known costs of this machine are taken.

    Args:
        suite: The suite.
        cache: File of the costs.
        options: Of the command line, under those of the methods.
        remeasure: Measure although they are known.
        progress: Wraps the list of methods, as ``tqdm`` does.

    Returns:
        Method's key -> cost's key -> value, see ``measure``; and what could not be measured.
    """
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True  # as in the configs
    now = dict(
        machine=machine(torch.get_num_threads()),
        methods={m.key: _identity(m, suite, options) for m in suite.listed},
    )
    known = json.loads(cache.read_text()) if cache.is_file() else {}
    # Times of one table were taken in one run on one machine, or they are not compared.
    if not remeasure and {key: known.get(key) for key in now} == now:
        return known["costs"], known["problems"]
    costs, problems = {}, []
    for method in progress(suite.listed):
        try:
            costs[method.key] = measure(method, suite.input_shape, options)
        except Exception as error:  # a model may raise anything; the others still have a cost
            problems.append(f"cost of {method.key}: {type(error).__name__}: {error}")
    with atomic_write(cache) as temporary:
        temporary.write_text(
            json.dumps(dict(now, costs=costs, problems=problems), indent=2) + "\n"
        )
    return costs, problems


def _identity(method: Method, suite: Suite, options: Mapping[str, Any] | None) -> dict[str, Any]:
    model = _config(method, options).model.to_dict()
    return dict(model=json.loads(json.dumps(model, default=str)), input_shape=suite.input_shape)


def measure(
    method: Method,
    input_shape: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Measure a method at inference: of a distillation, the student.

    Args:
        method: The method.
        input_shape: Bands, height, width; None takes the config's bands and window.
        options: Of the command line.

    Returns:
        ``parameters_m`` in millions, ``gflops`` (a multiply-add counts as one, as in the papers),
        ``milliseconds`` per image (median, batch 1) and ``peak_mb``.
    """
    cfg = _config(method, options)
    shape = tuple(input_shape or default_shape(cfg))
    model = build_model(cfg)
    image = torch.rand(1, *shape, device=_device())
    count = sum(parameter.numel() for parameter in model.parameters())
    found = dict(
        parameters_m=count / _MEGA,
        gflops=multiply_adds(model, image) / 1e9,
        milliseconds=milliseconds(lambda: model.predict(image)),
    )
    if not torch.cuda.is_available():
        return found | dict(peak_mb=_peak_of_new_process(cfg, shape))
    torch.cuda.reset_peak_memory_stats()
    with torch.no_grad():
        model.predict(image)
    return found | dict(peak_mb=torch.cuda.max_memory_allocated() / _MEGA)


def default_shape(cfg: Config) -> tuple[int, int, int]:
    """Bands and window of a config.

    Raises:
        ValueError: It does not say them.
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


def build_model(cfg: Config) -> nn.Module:
    """The network as it is used for predictions; random weights cost what trained ones do."""
    init_default_scope("mmseg")
    model_cfg = dict(networks(cfg)[0])
    torch.manual_seed(0)
    return MODELS.build(model_cfg).to(_device()).eval()


def multiply_adds(model: nn.Module, image: Tensor) -> float:
    """Multiply-adds of a prediction: matrix products, convolutions and attention.

    MMEngine's ``get_model_complexity_info`` traces ``forward``, which leaves out what only
    predictions run (cloud removal, the windows), and does not see fused attention.

    Args:
        model: A segmentor.
        image: 1 x bands x H x W.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # the counter sees nothing inside of it
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.predict(image)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops() / 2


def milliseconds(
    call: Callable[[], Any], warm_up: int = _WARM_UP, repeats: int = _REPEATS
) -> float:
    """Median time of a call without gradients."""
    times = []
    with torch.no_grad():
        for index in range(warm_up + repeats):
            _synchronise()
            start = time.perf_counter()
            call()
            _synchronise()
            if index >= warm_up:
                times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def _config(method: Method, options: Mapping[str, Any] | None) -> Config:
    cfg = load_config(str(method.config), {**(options or {}), **method.options})
    cfg.model = networks(cfg)[0]
    return cfg


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _peak_of_new_process(cfg: Config, shape: Sequence[int]) -> float:
    """Megabytes by which a process grows that makes the model and one prediction.

    A peak never falls, so each method needs a process that has measured nothing before.
    """
    text = Config(with_named_types(cfg.to_dict())).pretty_text
    asked = json.dumps(dict(config=text, shape=shape, threads=torch.get_num_threads()))
    command = [sys.executable, "-m", "mmcloudseg.benchmark.peak_memory"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"peak memory: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.splitlines()[-1])

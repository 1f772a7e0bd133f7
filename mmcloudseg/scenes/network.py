"""The trained model that maps tiles: raw bands in, logits and the cloud-free image out."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmcloudseg.engine.checkpoints import check_checkpoint
from mmcloudseg.engine.configs import apply_options, load_config, student_only
from mmcloudseg.engine.head_checks import check_classes
from mmcloudseg.engine.model_description import ModelDescription, accepts_missing_modality
from mmcloudseg.engine.readable_config import ReadableConfig
from mmcloudseg.models.segmentors.sliding import SlidingInference
from mmcloudseg.models.weights import read_weights

DEFAULT_TILE = 512
"""Optical pixels, for a model that was tested on whole images; neighbours share a quarter."""


class TileNetwork:
    """A trained model on a device.

    Args:
        config: The config file; of a distillation, the student's model is used.
        checkpoint: The checkpoint file.
        device: ``'cpu'``, ``'cuda'``, …; None takes a GPU if there is one (each process that
            ``torchrun`` started its own), else the CPU.
        options: Dotted keys of the (student's) config and their values.
        amp: Mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Attributes:
        description: What the config says about the model's images and map.
        config_sha256: Hash of the parts of the config that determine the pixels, with options.
        checkpoint_sha256: Hash of the checkpoint file.
        can_restore: Whether it also makes the cloud-free image.
        seconds: Time spent in the network so far.

    Raises:
        FileNotFoundError: The config or checkpoint does not exist.
        ValueError: The checkpoint does not fit the config, or the model cannot map tiles.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
        amp: bool = False,
    ) -> None:
        cfg = load_config(config)
        if cfg.get("model") is None:
            raise ValueError(f"config '{config}' has no `model`: name the config that was trained")
        cfg = student_only(cfg)
        apply_options(cfg, options or {})
        check_classes(cfg, ["test_dataloader"])
        init_default_scope(cfg.get("default_scope", "mmseg"))
        if not Path(checkpoint).is_file():
            raise FileNotFoundError(f"checkpoint '{checkpoint}' does not exist")
        self.config, self.checkpoint = config, checkpoint
        decides = ReadableConfig(dict(model=cfg.model, test=cfg.get("test_dataloader")))
        self.config_sha256 = hashlib.sha256(decides.pretty_text.encode()).hexdigest()
        self.checkpoint_sha256 = _sha256(checkpoint)
        self.description = ModelDescription.from_config(cfg)
        self.model = MODELS.build(cfg.model)
        weights = read_weights(checkpoint)
        check_checkpoint(self.model, weights, checkpoint, config)
        self.model.load_state_dict(weights)
        if not hasattr(self.model, "encode_decode"):
            raise ValueError(
                f"{config}: a {type(self.model).__name__} cannot map tiles, because it has no "
                "encode_decode: name the config of an EncoderDecoder or one of its kind"
            )
        self.device, self.amp = _usable_device(device or _default_device()), amp
        self.model.to(self.device).eval()
        self.can_restore = (
            isinstance(self.model, SlidingInference)
            and bool(cfg.model.test_cfg.get("cloud_free"))
            and "optical" in self.description.low
        )
        self.seconds = 0.0

    @property
    def about(self) -> ModelDescription:
        """Deprecated name of ``description``."""
        warnings.warn("TileNetwork.about is now .description", DeprecationWarning, stacklevel=2)
        return self.description

    @property
    def accepts_missing_sar(self) -> bool:
        """Whether a scene can be mapped without SAR, or the model does not see SAR at all."""
        return "sar" not in self.description.counts or accepts_missing_modality(self.model)

    @property
    def tiling(self) -> tuple[int, int]:
        """Tile size and overlap in optical pixels: the windows that the model is tested with."""
        test_cfg = self.model.test_cfg or {}
        if test_cfg.get("mode") == "slide":
            tile, stride = max(test_cfg["crop_size"]), min(test_cfg["stride"])
            return tile, tile - stride
        return DEFAULT_TILE, DEFAULT_TILE // 4

    @property
    def channels(self) -> int:
        """Number of logit channels; 1 stands for a single class and the background."""
        return self.model.out_channels

    @property
    def threshold(self) -> float:
        """Probability above which a pixel belongs to the single class."""
        return getattr(self.model.decode_head, "threshold", None) or 0.5

    @torch.inference_mode()
    def __call__(self, tiles: np.ndarray, restore: bool = False) -> Tensor:
        """Map tiles.

        Args:
            tiles: N x bands x tile x tile, float32, raw values; NaN for a missing modality.
            restore: Append the cloud-free image to the logits.

        Returns:
            N x (classes [+ optical bands]) x tile x tile, float32, on the device.
        """
        start = time.perf_counter()
        size = tiles.shape[-2:]
        samples = [SegDataSample() for _ in tiles]
        batch = dict(inputs=list(torch.from_numpy(tiles)), data_samples=samples)
        inputs = self.model.data_preprocessor(batch, False)["inputs"]
        padded = tuple(inputs.shape[-2:])
        metas = [dict(ori_shape=padded, img_shape=padded, pad_shape=padded)] * len(inputs)
        asked = dict(cloud_free=restore) if isinstance(self.model, SlidingInference) else {}
        on_gpu = self.device.type == "cuda"
        precision = torch.float16 if on_gpu else torch.bfloat16
        with (
            torch.autocast(self.device.type, dtype=precision, enabled=self.amp),
            torch.random.fork_rng([self.device] if on_gpu else [], device_type="cuda"),
        ):
            torch.manual_seed(0)  # SegNeXt's head starts from random bases: always the same ones
            maps = self.model.encode_decode(inputs, metas, **asked)
        maps = maps[..., : size[0], : size[1]].float()
        if on_gpu:
            torch.cuda.synchronize(self.device)
        self.seconds += time.perf_counter() - start
        return maps


def _default_device() -> str:
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count()}"


def _usable_device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device '{name}' cannot be used here ({str(error).splitlines()[0]}): choose cpu or "
            "an available device"
        ) from error
    return device


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

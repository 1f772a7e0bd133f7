"""A trained model as scenes need it: tiles in, logits and the cloud-free image out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmseg.registry import DATASETS, MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmcloudseg.engine.checkpoints import checkpoint_errors
from mmcloudseg.engine.configs import apply_options, load_config, student_only
from mmcloudseg.models.segmentors.sliding import SlidingInference
from mmcloudseg.utils.config_types import type_name

DEFAULT_TILE = 512
"""Optical pixels, for a model that was tested on whole images; neighbours share a quarter."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class SceneModel:
    """What a config says about the images that its model maps.

    Attributes:
        classes: Names, in the order of their indices.
        palette: RGB colours of the classes, 0 to 255.
        label_scale: Label pixels per optical pixel.
        modalities: ``'optical'`` and ``'sar'`` as far as the model sees them, in its order.
        counts: Bands of each.
        bands: Which of a file's bands to read, of the modalities whose pipeline says so.
        optical_names: What the optical bands are called.
        low: For each modality the values that become 0, by band; empty if the model does not say.
        high: Those that become 1.
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    label_scale: float
    modalities: tuple[str, ...]
    counts: Mapping[str, int]
    bands: Mapping[str, Sequence[int]]
    optical_names: tuple[str, ...]
    low: Mapping[str, Sequence[float]]
    high: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, cfg: Config) -> SceneModel:
        """Read a config; its data need not be there.

        Raises:
            ValueError: It has no test set, or does not say how many bands the model sees.
        """
        if cfg.get("test_dataloader") is None:
            raise ValueError(
                f"{cfg.filename}: has no test_dataloader, whose dataset would say classes, bands "
                "and label grid: name the config that the model was tested with"
            )
        described = cfg.test_dataloader.dataset
        while "dataset" in described:  # RepeatDataset and the like
            described = described.dataset
        steps = {type_name(step): step for step in described.get("pipeline", [])}
        dataset = DATASETS.build(dict(described, pipeline=[], lazy_init=True))
        meta = dataset.metainfo
        packed = steps.get("PackCloudSegInputs", {}).get("modalities", ("optical", "sar"))
        modalities = tuple("optical" if name == "cloud_free" else name for name in packed)
        ranges = cfg.model.get("data_preprocessor") or {}
        ranges = {name: ranges[name] for name in ("optical", "sar") if ranges.get(name)}
        bands = steps.get("LoadRasters", {}).get("bands") or {}
        counts = {
            name: len(ranges[name]["low"] if ranges else (meta.get("bands") or {}).get(name, ()))
            for name in modalities
            if not ranges or name in ranges
        }
        if not counts or not all(counts.values()):
            raise ValueError(
                f"{cfg.filename}: does not say how many bands the model sees; give "
                "model.data_preprocessor=CloudSegDataPreprocessor(optical=…, sar=…), or the "
                "dataset's metainfo `bands`"
            )
        return cls(
            classes=tuple(meta["classes"]),
            palette=tuple(tuple(colour) for colour in meta["palette"]),
            label_scale=float(getattr(dataset, "label_scale", 1.0)),
            modalities=modalities,
            counts=counts,
            bands={name: list(numbers) for name, numbers in bands.items()},
            optical_names=_names((meta.get("bands") or {}).get("optical"), counts, bands),
            low={name: list(r["low"]) for name, r in ranges.items()},
            high={name: list(r["high"]) for name, r in ranges.items()},
        )


class TileNetwork:
    """A model on a device.

    Args:
        config: The config file; of a distillation, the student.
        checkpoint: Its checkpoint.
        device: ``'cpu'``, ``'cuda'``, …; None takes a GPU if there is one.
        options: Dotted keys of the (student's) config and their values.
        amp: Half precision: float16 on a GPU, bfloat16 on a CPU.

    Attributes:
        about: What the config says about images.
        config_sha256: Of what in the config decides the pixels, with its options.
        seconds: Time spent in the network so far.

    Raises:
        FileNotFoundError: The config or checkpoint does not exist.
        ValueError: The checkpoint does not fit, or the model does not map tiles.
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
            raise ValueError(f"config '{config}' has no model: name the one that was trained")
        cfg = student_only(cfg)
        apply_options(cfg, options or {})
        init_default_scope(cfg.get("default_scope", "mmseg"))
        if not Path(checkpoint).is_file():
            raise FileNotFoundError(f"checkpoint '{checkpoint}' does not exist")
        self.config, self.checkpoint = config, checkpoint
        self.sha256 = _sha256(checkpoint)
        decides = Config(dict(model=cfg.model, test=cfg.get("test_dataloader"))).pretty_text
        self.config_sha256 = hashlib.sha256(decides.encode()).hexdigest()
        self.about = SceneModel.of(cfg)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.amp = amp
        self.model = MODELS.build(cfg.model)
        with checkpoint_errors(checkpoint, config):
            load_checkpoint(
                self.model, checkpoint, map_location="cpu", strict=True, logger="silent"
            )
        if not hasattr(self.model, "encode_decode"):
            raise ValueError(
                f"{config}: a {type(self.model).__name__} does not map tiles (it has no "
                "encode_decode, as EncoderDecoder has)"
            )
        self.device = _usable(device)
        self.model.to(self.device).eval()
        self.can_restore = (
            isinstance(self.model, SlidingInference)
            and bool(cfg.model.test_cfg.get("cloud_free"))
            and "optical" in self.about.low
        )
        self.seconds = 0.0

    @property
    def can_miss(self) -> bool:
        """Whether the model says what stands for a missing modality."""
        return hasattr(self.model.data_preprocessor, "missing_val")

    @property
    def tiling(self) -> tuple[int, int]:
        """Tile and overlap in optical pixels: the windows by which the model is tested."""
        test_cfg = self.model.test_cfg or {}
        if test_cfg.get("mode") == "slide":
            tile, stride = max(test_cfg["crop_size"]), min(test_cfg["stride"])
            return tile, tile - stride
        return DEFAULT_TILE, DEFAULT_TILE // 4

    @property
    def channels(self) -> int:
        """Channels of the logits; 1 means a single class beside background."""
        return self.model.out_channels

    @property
    def threshold(self) -> float:
        """Probability above which a single class is there."""
        return getattr(self.model.decode_head, "threshold", None) or 0.5

    @torch.inference_mode()
    def __call__(self, tiles: np.ndarray, restore: bool = False) -> Tensor:
        """Map tiles.

        Args:
            tiles: N x bands x tile x tile, float32, raw values; NaN for a missing modality.
            restore: Append the cloud-free image.

        Returns:
            N x (classes [+ optical bands]) x tile x tile, float32, on the device.
        """
        start = time.perf_counter()
        if isinstance(self.model, SlidingInference):
            self.model.test_cfg["cloud_free"] = restore
        size = tiles.shape[-2:]
        samples = [SegDataSample() for _ in tiles]
        batch = dict(inputs=list(torch.from_numpy(tiles)), data_samples=samples)
        inputs = self.model.data_preprocessor(batch, False)["inputs"]
        padded = tuple(inputs.shape[-2:])
        meta = dict(ori_shape=padded, img_shape=padded, pad_shape=padded)
        precision = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        used = [self.device] if self.device.type == "cuda" else []
        with (
            torch.autocast(self.device.type, dtype=precision, enabled=self.amp),
            torch.random.fork_rng(used, device_type="cuda"),
        ):
            torch.manual_seed(0)  # SegNeXt's head begins at random: the same at every visit
            maps = self.model.encode_decode(inputs, [meta] * len(inputs))
        maps = maps[..., : size[0], : size[1]].float()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.seconds += time.perf_counter() - start
        return maps


def _usable(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device '{name}' cannot be used here ({str(error).splitlines()[0]}): choose cpu, or "
            "one that is there"
        ) from error
    return device


def _names(
    known: Sequence[str] | None, counts: Mapping[str, int], bands: Mapping[str, Sequence[int]]
) -> tuple[str, ...]:
    """The optical bands' names, of those that are read; numbers where they have none."""
    if known and "optical" in bands:
        known = [known[number - 1] for number in bands["optical"]]
    if known and len(known) == counts.get("optical"):
        return tuple(known)
    return tuple(f"band {number}" for number in range(1, counts.get("optical", 0) + 1))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()

"""What every backbone made of streams of one MMSeg backbone shares."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.named_streams import stream_config
from mmcloudseg.models.backbones.pretrained import (
    load_into_stream,
    load_pretrained,
    load_timm_pretrained,
)
from mmcloudseg.models.backbones.stages import StageAdapter, stages_of
from mmcloudseg.utils.config_types import type_name

MIN_SIZE = 128  # at stride 32 the coarsest pooling of CloudSeg's last fusion block needs 4 x 4


class MultiStreamBackbone(BaseModule):
    """Base of backbones made of streams of one MMSeg backbone, run stage by stage.

    Args:
        stream: Name of the backbone that every stream is one of (``"mit-b0"``, ``"swin-t"``, …;
            ``named_streams.py``), or its config: ``dict(type=…)``, or ``dict(name="swin-t", …)``
            for a named one with changes. ``in_channels`` is set by stream.
        bands: Bands of the two modalities in the input, in this order.
        pretrained: Whether to load the weights that the stream's
            ``init_cfg=dict(type='Pretrained', checkpoint=…)`` names (names stand for ImageNet's),
            the first convolution adapted to the number of bands; or the path or URL of others.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: The stream's name is not known, or ``bands`` are not optical and SAR.
        ValueError: The stream's type has no stage adapter.
    """

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.bands = dict(bands or dict(optical=4, sar=2))
        if list(self.bands) != ["optical", "sar"]:
            raise ValueError(
                f"bands must be dict(optical=…, sar=…) in this order, got {self.bands}"
            )
        self._stream = stream_config(stream)
        self._pretrained = self._take_pretrained(pretrained)
        self._streams: list[str] = []

    def _take_pretrained(self, pretrained: bool | str) -> dict | None:
        """Take the weights' source out of the stream's config.

        MMEngine would load them into a first convolution of the wrong number of bands.
        """
        stream = self._stream
        init_cfg: Any = stream.get("init_cfg")
        named = None
        # MMEngine registers the class PretrainedInit as Pretrained.
        if isinstance(init_cfg, dict) and type_name(init_cfg) in ("Pretrained", "PretrainedInit"):
            stream["init_cfg"] = None
            named = dict(init_cfg)
        elif type_name(stream).endswith("TIMMBackbone"):
            # Its own default is to download; here nothing is before init_weights.
            if stream.get("pretrained", True):
                named = dict(timm=stream["model_name"])
            stream["pretrained"] = False
        if isinstance(pretrained, str):
            return dict(checkpoint=pretrained)
        return named if pretrained else None

    def add_stream(self, name: str, in_channels: int | None = None) -> nn.Module:
        """Build a stream as the child module ``name``.

        Args:
            name: Of the child module.
            in_channels: Bands of its input; the backbone's default where it has no first stage.
        """
        bands = {} if in_channels is None else dict(in_channels=in_channels)
        try:
            net = MODELS.build(dict(self._stream, **bands))
        except RuntimeError as error:
            if "timm is not installed" not in str(error):
                raise
            raise ValueError(
                f"the stream '{self._stream['model_name']}' comes from timm, which is not "
                "installed: pip install timm, with the torchvision that belongs to your torch"
            ) from error
        self.stages = self.adapter_of(net)
        if self.stages is not None:
            self.stages.prepare(net)
        self.add_module(name, net)
        self._streams.append(name)
        return net

    @staticmethod
    def adapter_of(net: nn.Module) -> StageAdapter | None:
        """The adapter that runs the streams; see :func:`.stages_of`."""
        return stages_of(net)

    def init_weights(self) -> None:
        """Initialize as each part does, then load the pretrained stream weights, if any.

        Raises:
            FileNotFoundError: The pretrained weights are not there and cannot be downloaded.
            ValueError: They do not fit the stream.
        """
        super().init_weights()
        if self._pretrained is None:
            return
        if "timm" in self._pretrained:
            source = f"timm's {self._pretrained['timm']}"
            weights = load_timm_pretrained(self._stream)
        else:
            source = self._pretrained["checkpoint"]
            weights = load_pretrained(source, self._pretrained.get("prefix"))
        for name in self._streams:
            load_into_stream(getattr(self, name), weights, source, self.stages)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Optical and SAR bands of an input.

        Args:
            x: N x (optical + SAR bands) x H x W.

        Raises:
            ValueError: The number of bands is wrong, or the image too small.
        """
        self.check_bands(x)
        self.check_size(x)
        optical, sar = x.split(list(self.bands.values()), dim=1)
        return optical, sar

    def check_bands(self, x: Tensor) -> None:
        """Refuse an input of other bands."""
        wanted = sum(self.bands.values())
        if x.shape[1] != wanted:
            raise ValueError(
                f"the backbone expects {wanted} bands ({self.bands}), the input has {x.shape[1]}; "
                "set backbone.bands and PackCloudSegInputs(modalities=…) alike"
            )

    @staticmethod
    def check_size(x: Tensor) -> None:
        """Refuse an input too small for the coarsest stage."""
        if min(x.shape[2:]) < MIN_SIZE:
            raise ValueError(
                f"the input is {x.shape[2]} x {x.shape[3]} pixels; the network needs at least "
                f"{MIN_SIZE} x {MIN_SIZE}: use larger crops or windows"
            )

"""What all backbones made of streams of one MMSeg backbone have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from mmengine.model import BaseModule
from mmseg.models.backbones import timm_backbone
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.named_streams import stream_config
from mmcloudseg.models.backbones.pretrained import (
    load_into_stream,
    load_pretrained,
    load_timm_pretrained,
)
from mmcloudseg.models.backbones.stages import find_stages
from mmcloudseg.utils.config_types import type_name

MIN_SIZE = 128  # at stride 32 the coarsest pooling of CloudSeg's last fusion block needs 4 x 4


class MultiStreamBackbone(BaseModule):
    """Base of backbones made of streams of one MMSeg backbone, run stage by stage.

    A subclass builds its streams with :meth:`build_stream`, assigns them as child modules and
    lists their names in ``stream_names``.

    Args:
        stream: Name of the backbone that every stream is one of (``"mit-b0"``, ``"swin-t"``, …;
            see ``named_streams.py``), or its config: ``dict(type=…)``, or
            ``dict(name="swin-t", …)`` for a named one with changes. ``in_channels`` is set for
            each stream.
        bands: Numbers of bands of the two modalities, in the order of the input.
        pretrained: Whether to load the weights that the stream's
            ``init_cfg=dict(type='Pretrained', checkpoint=…)`` names (for a named stream those of
            ImageNet), with the first convolution adapted to the number of bands; or the path or
            URL of other weights.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: The stream's name is unknown, its type has no stage adapter (which only
            ``SingleStreamBackbone`` can do without), or ``bands`` are not optical and SAR.
    """

    stream_names: ClassVar[tuple[str, ...]]

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

    def _take_pretrained(self, pretrained: bool | str) -> dict | None:
        """Take the weights' source out of the stream's config.

        MMEngine would load them into a first convolution with the wrong number of bands.
        """
        stream = self._stream
        init_cfg: Any = stream.get("init_cfg")
        named = None
        # MMEngine registers the class PretrainedInit as Pretrained.
        if isinstance(init_cfg, dict) and type_name(init_cfg) in ("Pretrained", "PretrainedInit"):
            stream["init_cfg"] = None
            named = dict(init_cfg)
        elif type_name(stream).endswith("TIMMBackbone"):
            # TIMMBackbone downloads weights when it is built; here init_weights loads them.
            if stream.get("pretrained", True):
                named = dict(timm=stream["model_name"])
            stream["pretrained"] = False
        if isinstance(pretrained, str):
            return dict(checkpoint=pretrained)
        return named if pretrained else None

    def build_stream(self, in_channels: int | None = None) -> nn.Module:
        """Build one stream of ``in_channels`` input bands.

        None keeps the backbone's default, for a stream whose first stage is dropped.

        Raises:
            ValueError: The stream comes from timm, which is not installed.
        """
        bands = {} if in_channels is None else dict(in_channels=in_channels)
        try:
            net = MODELS.build(dict(self._stream, **bands))
        except RuntimeError as error:
            if timm_backbone.timm is not None or "model_name" not in self._stream:
                raise
            raise ValueError(
                f"the stream '{self._stream['model_name']}' comes from timm, which is not "
                "installed: pip install timm, with the torchvision that belongs to your torch"
            ) from error
        stages = find_stages(net)
        if stages is not None:
            stages.prepare(net)
        return net

    def init_weights(self) -> None:
        """Initialize every part in its own way, then load the pretrained stream weights, if any.

        Raises:
            FileNotFoundError: The pretrained weights do not exist or cannot be downloaded.
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
        for name in self.stream_names:
            load_into_stream(getattr(self, name), weights, source)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Optical and SAR bands of an input, N x (optical + SAR bands) x H x W.

        Raises:
            ValueError: The number of bands is wrong, or the image is too small for the coarsest
                stage.
        """
        self.check_bands(x)
        if min(x.shape[2:]) < MIN_SIZE:
            raise ValueError(
                f"the input is {x.shape[2]} x {x.shape[3]} pixels, but the network needs at least "
                f"{MIN_SIZE} x {MIN_SIZE}: use larger crops or windows"
            )
        optical, sar = x.split(list(self.bands.values()), dim=1)
        return optical, sar

    def check_bands(self, x: Tensor) -> None:
        """Refuse an input with another number of bands."""
        wanted = sum(self.bands.values())
        if x.shape[1] != wanted:
            raise ValueError(
                f"the backbone expects {wanted} bands ({self.bands}), but the input has "
                f"{x.shape[1]}: make backbone.bands and PackCloudSegInputs(modalities=…) agree"
            )

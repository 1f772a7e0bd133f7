"""Optical, SAR and cross-modal streams of one backbone with fusion after every stage."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.fusion import FusionBlock
from mmcloudseg.models.backbones.pretrained import load_into_stream, load_pretrained
from mmcloudseg.models.backbones.stages import stages_of

_MIN_SIZE = 128  # at stride 32 the coarsest pooling of the last fusion block needs 4 x 4


@MODELS.register_module()
class CrossModalBackbone(BaseModule):
    """Three streams of any supported MMSeg backbone (CloudSeg, Xu et al., ISPRS 2024, section 3).

    The cross-modal stream is fed by fusion alone, so it has no first stage.

    Args:
        stream: Config of the backbone that every stream is one of. Its ``in_channels`` is set per
            stream; ``init_cfg=dict(type='Pretrained', checkpoint=path_or_url)`` loads weights into
            all streams, the first convolution adapted to the number of bands.
        bands: Bands of the two modalities in the input, in this order.
        spatial_gate: Whether fusion gates the optical stream (student) or not (teacher).
        with_optical: Whether the optical stages are returned too (for a cloud-removal head).
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        TypeError: The stream's type has no stage adapter.
    """

    def __init__(
        self,
        stream: dict,
        bands: dict[str, int] | None = None,
        spatial_gate: bool = True,
        with_optical: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.bands = dict(bands or dict(optical=4, sar=2))
        if list(self.bands) != ["optical", "sar"]:
            raise ValueError(
                f"bands must be dict(optical=…, sar=…) in this order, got {self.bands}"
            )
        self.with_optical = with_optical
        stream = copy.deepcopy(stream)
        self._pretrained = self._take_pretrained(stream)
        self.optical = MODELS.build(dict(stream, in_channels=self.bands["optical"]))
        self.sar = MODELS.build(dict(stream, in_channels=self.bands["sar"]))
        self.cross = MODELS.build(dict(stream))
        self.stages = stages_of(self.optical)
        for net in (self.optical, self.sar, self.cross):
            self.stages.prepare(net)
        self.stages.drop_first_stage(self.cross)

        self.stage_channels = self.stages.channels(self.optical)
        last = len(self.stage_channels) - 1
        self.fusion = nn.ModuleList(
            FusionBlock(
                channels,
                with_cross=i > 0,
                spatial_gate=spatial_gate,
                return_optical=i < last or with_optical,
                return_sar=i < last,
            )
            for i, channels in enumerate(self.stage_channels)
        )

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns, in its order."""
        return self.stage_channels * (2 if self.with_optical else 1)

    @staticmethod
    def _take_pretrained(stream: dict) -> dict | None:
        init_cfg: Any = stream.get("init_cfg")
        if isinstance(init_cfg, dict) and init_cfg.get("type") == "Pretrained":
            # MMEngine would load it into a first convolution of the wrong number of bands.
            stream["init_cfg"] = None
            return init_cfg
        return None

    def init_weights(self) -> None:
        """Initialize as each part does, then load the pretrained stream weights, if any.

        Raises:
            FileNotFoundError: The pretrained weights are not there and cannot be downloaded.
            ValueError: They do not fit the stream.
        """
        super().init_weights()
        if self._pretrained is None:
            return
        source = self._pretrained["checkpoint"]
        weights = load_pretrained(source, self._pretrained.get("prefix"))
        for net in (self.optical, self.sar, self.cross):
            load_into_stream(net, weights, source)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the streams.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised; H and W at least 128.

        Returns:
            Cross-modal features of all stages, fine to coarse, then, ``with_optical``, the optical
            ones: N x C_i x H / s_i x W / s_i with the backbone's strides s_i.

        Raises:
            ValueError: The number of bands is wrong, or the image too small.
        """
        self._check(x)
        optical, sar = x.split(list(self.bands.values()), dim=1)
        cross = None
        fused, optical_stages = [], []
        for i, fusion in enumerate(self.fusion):
            optical = self.stages.run(self.optical, i, optical)
            sar = self.stages.run(self.sar, i, sar)
            if cross is not None:
                cross = self.stages.run(self.cross, i, cross)
            optical, sar, cross = fusion(optical, sar, cross)
            fused.append(cross)
            optical_stages.append(optical)
        return tuple(fused + optical_stages) if self.with_optical else tuple(fused)

    def _check(self, x: Tensor) -> None:
        wanted = sum(self.bands.values())
        if x.shape[1] != wanted:
            raise ValueError(
                f"the backbone expects {wanted} bands ({self.bands}), the input has {x.shape[1]}; "
                "set backbone.bands and PackCloudSegInputs(modalities=…) alike"
            )
        if min(x.shape[2:]) < _MIN_SIZE:
            raise ValueError(
                f"the input is {x.shape[2]} x {x.shape[3]} pixels; the network needs at least "
                f"{_MIN_SIZE} x {_MIN_SIZE}: use larger crops or windows"
            )

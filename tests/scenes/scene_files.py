"""Scenes of a few pixels, and a network that sees one pixel at a time."""

from __future__ import annotations

import numpy as np
import rasterio
import torch
from affine import Affine
from mmengine.config import Config
from mmengine.model import BaseModule
from mmseg.registry import MODELS

from mmcloudseg.apis import ScenePredictor

NODATA = 255
UTM = "EPSG:32632"
CORNER = (600_000, 5_400_000)

CONFIG = """
default_scope = 'mmseg'
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='CloudSegDataPreprocessor',
        optical=dict(low=[0] * 4, high=[10000] * 4), sar=dict(low=[-25, -32.5], high=[0, 0])),
    backbone=dict(type='BandsAsTheyAre'),
    decode_head=dict(
        type='FCNHead', in_channels=6, channels=6, num_convs=0, concat_input=False,
        num_classes=6, in_index=0, norm_cfg=None),
    test_cfg=dict(mode='slide', crop_size=(48, 48), stride=(32, 32)))
test_dataloader = dict(dataset=dict(
    type='M3MCRDataset', data_root='nowhere', label_scale={scale},
    pipeline=[dict(type='LoadRasters'), dict(type='PackCloudSegInputs')]))
"""


@MODELS.register_module(force=True)
class BandsAsTheyAre(BaseModule):
    """Commutes with shifts: what a pixel becomes depends on nothing around it."""

    def forward(self, x):
        return (x,)


def write(path, bands, crs=UTM, corner=CORNER, pixel=3.0, **profile):
    """A GeoTIFF; returns its path as text."""
    transform = Affine(pixel, 0, corner[0], 0, -pixel, corner[1])
    shape = dict(count=len(bands), height=bands.shape[1], width=bands.shape[2])
    settings = dict(crs=crs, transform=transform, dtype=bands.dtype, **shape)
    with rasterio.open(path, "w", driver="GTiff", **{**settings, **profile}) as raster:
        raster.write(bands)
    return str(path)


def optical_bands(height=130, width=170, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 9000, (4, height, width)).astype(np.uint16)


def sar_bands(height=130, width=170, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(-24, -1, (2, height, width)).astype(np.float32)


def make_model(folder, scale=0.3):
    """Config and checkpoint of the network, as text."""
    config = folder / f"pixel_{scale}.py"
    config.write_text(CONFIG.format(scale=scale))
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.nn.init.normal_(model.decode_head.conv_seg.weight, std=4)
    checkpoint = folder / "pixel.pth"
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return str(config), str(checkpoint)


def predict(pixel_model, optical, sar, out, scale=0.3, **settings):
    """Map a scene with the network of the fixture ``pixel_model``."""
    return ScenePredictor(*pixel_model(scale), device="cpu").predict(
        optical, sar, out, progress=False, **settings
    )


def read(path):
    with rasterio.open(path) as source:
        return source.read()

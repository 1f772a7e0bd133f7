# MMSegmentation's UPerNet (arXiv 1807.10221) on Swin-T (arXiv 2103.14030).
_base_ = "./encoder_decoder_fcn.py"

model = dict(
    backbone=dict(stream=dict(name="swin-t")),
    decode_head=dict(
        type="UPerHead",
        in_channels=[96, 192, 384, 768],
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6),
        channels=512,
    ),
    auxiliary_head=dict(in_channels=384, in_index=2, channels=256),
)

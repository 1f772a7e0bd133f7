# MMSegmentation's PSPNet (arXiv 1612.01105) on ResNet-50-V1c at stride 8.
_base_ = "./encoder_decoder_fcn.py"

model = dict(
    backbone=dict(
        stream=dict(
            name="resnet-50-v1c",
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4),
            contract_dilation=True,
        ),
    ),
    decode_head=dict(
        type="PSPHead", in_channels=2048, in_index=3, channels=512, pool_scales=(1, 2, 3, 6)
    ),
    auxiliary_head=dict(in_channels=1024, in_index=2, channels=256),
)

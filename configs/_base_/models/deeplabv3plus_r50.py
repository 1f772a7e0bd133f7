# MMSegmentation's DeepLabV3+ (arXiv 1802.02611) on ResNet-50-V1c at stride 8.
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
        type="DepthwiseSeparableASPPHead",
        in_channels=2048,
        in_index=3,
        channels=512,
        dilations=(1, 12, 24, 36),
        c1_in_channels=256,
        c1_channels=48,
    ),
    auxiliary_head=dict(in_channels=1024, in_index=2, channels=256),
)

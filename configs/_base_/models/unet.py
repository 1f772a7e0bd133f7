# MMSegmentation's U-Net (arXiv 1505.04597), five stages. There are no ImageNet weights for it.
_base_ = "./encoder_decoder_fcn.py"

model = dict(
    backbone=dict(stream=dict(type="UNet", base_channels=64, norm_cfg=dict(type="BN"))),
    decode_head=dict(
        type="FCNHead",
        in_channels=64,
        in_index=4,
        channels=64,
        num_convs=1,
        concat_input=False,
    ),
    auxiliary_head=dict(in_channels=128, in_index=3, channels=64),
)

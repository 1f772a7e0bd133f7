# Baselines with an auxiliary FCN head.
_base_ = "./encoder_decoder.py"

model = dict(
    auxiliary_head=dict(
        type="FCNHead",
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss", loss_weight=0.4),
    )
)

# ASANet (Zhang et al., arXiv 2412.02044) as published: ConvNeXt-V2-T, whose adapter needs timm, and
# UPerNet. The paper trains with AdamW, learning rate 1e-4, weight decay 0.05, decayed by stage; here
# all methods have one schedule. A leaf adds what its data ask for.
model = dict(
    type="CloudSeg",
    backbone=dict(
        type="ASANetBackbone",
        stream=dict(
            name="convnextv2-t",
            model_name="convnextv2_tiny.fcmae_ft_in22k_in1k_384",
            drop_path_rate=0.4,
        ),
        stage_norm=True,
    ),
    decode_head=dict(
        type="UPerHead",
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6),
        channels=256,
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss"),
    ),
    auxiliary_head=dict(
        type="FCNHead",
        in_index=2,
        channels=128,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss", loss_weight=0.4),
    ),
    test_cfg=dict(mode="slide", window_batch=16),
)

# What the baselines, all networks of MMSegmentation, have in common: bands are stacked, of both modalities
# or, with model.backbone.modalities=[optical] or [sar], of one. A leaf adds what its data ask for.
model = dict(
    type="EncoderDecoder",
    backbone=dict(type="SingleStreamBackbone"),
    decode_head=dict(
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        # Cross entropy as a mean over labelled pixels. Another type, such as DiceLoss, takes its place whole.
        loss_decode=dict(type="LandCoverLoss"),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide"),
)

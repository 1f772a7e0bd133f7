# What the baselines, all networks of MMSegmentation, have in common: bands are stacked, of both modalities
# or, with model.backbone.modalities=[optical] or [sar], of one. A leaf adds what its data ask for.
model = dict(
    type="EncoderDecoder",
    backbone=dict(type="SingleStreamBackbone"),
    decode_head=dict(
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        # Mean over labelled pixels; MMSeg's default divides by all of them.
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide"),
)

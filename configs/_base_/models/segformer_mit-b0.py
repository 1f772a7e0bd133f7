# MMSegmentation's SegFormer-B0 (arXiv 2105.15203). What the data ask is in the leaf.
model = dict(
    type="EncoderDecoder",
    backbone=dict(type="SingleStreamBackbone", stream="mit-b0"),
    decode_head=dict(
        type="SegformerHead",
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide"),
)

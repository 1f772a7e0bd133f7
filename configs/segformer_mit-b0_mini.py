# A baseline: MMSegmentation's SegFormer-B0 on the stacked bands, on the same data as everything else.
_base_ = [
    "_base_/datasets/mini_m3mcr.py",
    "_base_/schedules/schedule_mini.py",
    "_base_/default_runtime.py",
]
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        optical=dict(low=[0, 0, 0, 0], high=[10000, 10000, 10000, 10000]),
        sar=dict(low=[-25, -32.5], high=[0, 0]),
    ),
    backbone=dict(
        type="MixVisionTransformer",
        in_channels=6,
        embed_dims=32,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        drop_path_rate=0.1,
    ),
    decode_head=dict(
        type="SegformerHead",
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        num_classes=6,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide", crop_size=(160, 160), stride=(80, 80)),
)
test_evaluator = [dict(type="CloudIoUMetric")]

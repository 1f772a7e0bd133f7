# MMSegmentation's SegNeXt-B (arXiv 2209.08575).
model = dict(
    type="EncoderDecoder",
    backbone=dict(type="SingleStreamBackbone", stream="mscan-b"),
    decode_head=dict(
        type="LightHamHead",
        in_channels=[128, 320, 512],
        in_index=[1, 2, 3],
        channels=512,
        ham_channels=512,
        ham_kwargs=dict(MD_S=1, MD_R=64, train_steps=6, eval_steps=7, inv_t=100, rand_init=True),
        dropout_ratio=0.1,
        norm_cfg=dict(type="GN", num_groups=32),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide"),
)

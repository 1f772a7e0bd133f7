# MMSegmentation's SegFormer-B0 (arXiv 2105.15203).
_base_ = "./encoder_decoder.py"

model = dict(
    backbone=dict(stream="mit-b0"),
    decode_head=dict(
        type="SegformerHead",
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
    ),
)

# MMSegmentation's SegFormer-B4 (arXiv 2105.15203).
_base_ = "./segformer_mit-b0.py"

model = dict(
    backbone=dict(stream="mit-b4"),
    decode_head=dict(in_channels=[64, 128, 320, 512]),
)

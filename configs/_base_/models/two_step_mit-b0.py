# The two-step habit with MiT-B0, from scratch: small enough for a CPU.
_base_ = "./two_step_mit-b4.py"

backbone = dict(stream="mit-b0", pretrained=False)
model = dict(
    remover=dict(backbone=backbone),
    segmentor=dict(backbone=backbone, decode_head=dict(in_channels=[32, 64, 160, 256])),
)

# CMX with MiT-B0, from scratch: small enough for a CPU.
_base_ = "./cmx_mit-b2.py"

model = dict(
    backbone=dict(stream="mit-b0", pretrained=False),
    decode_head=dict(channels=256),
)

# SegNeXt-T, from scratch: small enough for a CPU.
_base_ = "./segnext_mscan-b.py"

model = dict(
    backbone=dict(stream="mscan-t", pretrained=False),
    decode_head=dict(
        in_channels=[64, 160, 256], channels=256, ham_channels=256, ham_kwargs=dict(MD_R=16)
    ),
)

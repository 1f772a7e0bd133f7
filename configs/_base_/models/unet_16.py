# U-Net of a quarter of the width: small enough for a CPU.
_base_ = "./unet.py"

model = dict(
    backbone=dict(stream=dict(base_channels=16)),
    decode_head=dict(in_channels=16, channels=16),
    auxiliary_head=dict(in_channels=32, channels=16),
)

# UPerNet on a Swin of half the width and 8 blocks, from scratch: small enough for a CPU.
_base_ = "./upernet_swin-t.py"

model = dict(
    backbone=dict(
        stream=dict(name="swin-t", embed_dims=48, depths=[2, 2, 2, 2], drop_path_rate=0.1),
        pretrained=False,
    ),
    decode_head=dict(in_channels=[48, 96, 192, 384], channels=64),
    auxiliary_head=dict(in_channels=192, channels=64),
)

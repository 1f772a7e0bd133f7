# ASANet on ResNet-18, from scratch: small enough for a CPU.
_base_ = "./asanet_r50.py"

model = dict(
    backbone=dict(stream=dict(name="resnet-18"), pretrained=False),
    decode_head=dict(channels=64),
    auxiliary_head=dict(channels=64),
)

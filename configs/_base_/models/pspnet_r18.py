# PSPNet on ResNet-18-V1c at stride 16, from scratch: small enough for a CPU.
_base_ = "./pspnet_r50.py"

model = dict(
    backbone=dict(
        stream=dict(name="resnet-18-v1c", strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
        pretrained=False,
    ),
    decode_head=dict(in_channels=512, channels=128),
    auxiliary_head=dict(in_channels=256, channels=64),
)

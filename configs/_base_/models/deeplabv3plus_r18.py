# DeepLabV3+ on ResNet-18-V1c at stride 16, from scratch: small enough for a CPU.
_base_ = "./deeplabv3plus_r50.py"

model = dict(
    backbone=dict(
        stream=dict(name="resnet-18-v1c", strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
        pretrained=False,
    ),
    decode_head=dict(
        in_channels=512, channels=128, dilations=(1, 6, 12, 18), c1_in_channels=64, c1_channels=12
    ),
    auxiliary_head=dict(in_channels=256, channels=64),
)

# ASANet on ResNet-50, where timm is not installed. Not the published network: the fusion's size goes
# with the square of the stages' widths, which are 2.7 times those of ConvNeXt-V2-T.
_base_ = "./asanet_convnextv2-t.py"

model = dict(
    backbone=dict(stream=dict(_delete_=True, name="resnet-50"), stage_norm=False),
)

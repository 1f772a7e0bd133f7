# OCRNet on the small HRNetV2-W18, from scratch: small enough for a CPU.
_base_ = "./ocrnet_hr18.py"

heads = [_base_.heads[0], dict(_base_.heads[1], channels=128, ocr_channels=64)]
model = dict(
    backbone=dict(
        stream=dict(
            extra=dict(
                stage1=dict(num_blocks=(2,)),
                stage2=dict(num_blocks=(2, 2)),
                stage3=dict(num_modules=3, num_blocks=(2, 2, 2)),
                stage4=dict(num_modules=2, num_blocks=(2, 2, 2, 2)),
            )
        ),
        pretrained=False,
    ),
)

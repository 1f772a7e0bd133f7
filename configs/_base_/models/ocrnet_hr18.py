# MMSegmentation's OCRNet (arXiv 1909.11065) on HRNetV2-W18 (arXiv 1908.07919).
heads = [
    dict(
        type="FCNHead",
        in_channels=[18, 36, 72, 144],
        in_index=(0, 1, 2, 3),
        channels=sum([18, 36, 72, 144]),
        input_transform="resize_concat",
        kernel_size=1,
        num_convs=1,
        concat_input=False,
        dropout_ratio=-1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss", loss_weight=0.4),
    ),
    dict(
        type="OCRHead",
        in_channels=[18, 36, 72, 144],
        in_index=(0, 1, 2, 3),
        channels=512,
        ocr_channels=256,
        input_transform="resize_concat",
        dropout_ratio=-1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss"),
    ),
]
model = dict(
    type="CascadeEncoderDecoder",
    num_stages=2,
    backbone=dict(
        type="SingleStreamBackbone",
        stream=dict(
            type="HRNet",
            norm_cfg=dict(type="BN"),
            norm_eval=False,
            extra=dict(
                stage1=dict(
                    num_modules=1,
                    num_branches=1,
                    block="BOTTLENECK",
                    num_blocks=(4,),
                    num_channels=(64,),
                ),
                stage2=dict(
                    num_modules=1,
                    num_branches=2,
                    block="BASIC",
                    num_blocks=(4, 4),
                    num_channels=(18, 36),
                ),
                stage3=dict(
                    num_modules=4,
                    num_branches=3,
                    block="BASIC",
                    num_blocks=(4, 4, 4),
                    num_channels=(18, 36, 72),
                ),
                stage4=dict(
                    num_modules=3,
                    num_branches=4,
                    block="BASIC",
                    num_blocks=(4, 4, 4, 4),
                    num_channels=(18, 36, 72, 144),
                ),
            ),
            init_cfg=dict(
                type="Pretrained",
                checkpoint="https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth",
            ),
        ),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="slide"),
)

# Methods under the same clouds on the mini M3M-CR: the same data, schedule and seeds for all.
title = "Land cover under clouds: mini M3M-CR"
data = "mini M3M-CR"
seeds = [0, 1, 2]
reference = "segformer"
robustness = dict(covers=[0, 50, 100], kinds=["thick"])
methods = dict(
    # It sees through the clouds: what a network could know, not a rival.
    teacher=dict(
        title="CloudSeg's teacher, on the clear image",
        config="cloudseg_teacher_mini.py",
        bound=True,
    ),
    cloudseg=dict(title="CloudSeg (MiT-B0)", config="cloudseg_mini.py", teacher="teacher"),
    cloudseg_dropout=dict(
        title="CloudSeg, modality dropout",
        config="cloudseg_dropout_mini.py",
        teacher="teacher",
    ),
    two_step=dict(
        title="two steps: cloud removal, SegFormer-B0", config="two_step_mit-b0_mini.py"
    ),
    cmx=dict(title="CMX-B0", config="cmx_mit-b0_mini.py"),
    asanet=dict(title="ASANet-R18", config="asanet_r18_mini.py"),
    segformer=dict(
        title="SegFormer-B0, stacked bands", config="baselines/segformer_mit-b0_mini.py"
    ),
    segformer_optical=dict(
        title="SegFormer-B0, optical only",
        config="baselines/segformer_mit-b0_mini.py",
        options={"model.backbone.modalities": ["optical"]},
    ),
    segformer_sar=dict(
        title="SegFormer-B0, SAR only",
        config="baselines/segformer_mit-b0_mini.py",
        options={"model.backbone.modalities": ["sar"]},
    ),
    segnext=dict(title="SegNeXt-T, stacked bands", config="baselines/segnext_mscan-t_mini.py"),
    deeplab=dict(
        title="DeepLabV3+-R18, stacked bands", config="baselines/deeplabv3plus_r18_mini.py"
    ),
    unet=dict(title="U-Net-16, stacked bands", config="baselines/unet_16_mini.py"),
)

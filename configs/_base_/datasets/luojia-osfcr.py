# LuojiaSET-OSFCR: Sentinel-2 with real clouds, Sentinel-1 and land cover at 10 m, split by whole ROIs.
dataset_type = "LuojiaOSFCRDataset"
data_root = "data/luojia-osfcr"

# What these data ask of CloudSeg's networks.
network = dict(
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        # Thirteen bands of reflectance x 10 000; backscatter in dB (VV, VH).
        optical=dict(low=[0] * 13, high=[10000] * 13),
        sar=dict(low=[-25, -32.5], high=[0, 0]),
    ),
    backbone=dict(bands=dict(optical=13, sar=2)),
    decode_head=dict(num_classes=6),
    test_cfg=dict(crop_size=(256, 256), stride=(128, 128)),
)

# Sentinel-2 under clouds, for tools/robustness.py and any pipeline that draws clouds.
simulated_clouds = dict(
    type="SimulateClouds",
    gsd_m=10,
    wavelengths_um=[
        0.443, 0.490, 0.560, 0.665, 0.705, 0.740, 0.783, 0.842, 0.865, 0.945, 1.375, 1.610, 2.190
    ],
    scale=10000,
)  # fmt: skip

train_pipeline = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]
test_pipeline = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]
# For MMSegmentation's tools/test.py --tta.
tta_pipeline = [
    dict(type="LoadRasters"),
    dict(
        type="TestTimeAug",
        transforms=[
            [
                dict(type="RandomFlip", prob=0.0),
                dict(type="RandomFlip", prob=1.0, direction="horizontal"),
                dict(type="RandomFlip", prob=1.0, direction="vertical"),
            ],
            [dict(type="PackCloudSegInputs")],
        ],
    ),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type=dataset_type, data_root=data_root, split="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type=dataset_type, data_root=data_root, split="val", pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=4,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type=dataset_type, data_root=data_root, split="test", pipeline=test_pipeline),
)

val_evaluator = [dict(type="CloudIoUMetric")]
land_cover_metrics = [dict(type="CloudIoUMetric"), dict(type="CalibrationMetric")]
cloud_removal_metrics = [*land_cover_metrics, dict(type="CloudRemovalMetric")]
test_evaluator = dict(type="CloudSegEvaluator", metrics=land_cover_metrics)

# M3M-CR (also published as M3R-CR): optical at 3 m, SAR and labels at 10 m.
dataset_type = "M3MCRDataset"
data_root = "data/m3mcr"

# What these data ask of CloudSeg's networks.
network = dict(
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        # Reflectance x 10 000; backscatter in dB (VV, VH). Both are clipped and scaled to [0, 1].
        optical=dict(low=[0, 0, 0, 0], high=[10000, 10000, 10000, 10000]),
        sar=dict(low=[-25, -32.5], high=[0, 0]),
    ),
    backbone=dict(bands=dict(optical=4, sar=2)),
    decode_head=dict(num_classes=6),
    test_cfg=dict(crop_size=(160, 160), stride=(80, 80)),
)

# PlanetScope under clouds, for tools/robustness.py and any pipeline that draws clouds.
simulated_clouds = dict(
    type="SimulateClouds", gsd_m=3, wavelengths_um=[0.490, 0.565, 0.665, 0.865], scale=10000
)

crop = dict(crop_size=160, step=10)  # in optical pixels: 160 is 48 label pixels, 10 is 3
train_pipeline = [
    dict(type="AlignedRandomCrop", **crop),
    dict(type="LoadRasters"),
    dict(type="PackCloudSegInputs"),
]
# For networks that have to work without their optical image or without SAR.
dropout_pipeline = [
    *train_pipeline[:-1],
    dict(type="RandomModalityDropout", optical=0.1, sar=0.1),
    train_pipeline[-1],
]
val_pipeline = [
    dict(type="AlignedCenterCrop", **crop),
    dict(type="LoadRasters"),
    dict(type="PackCloudSegInputs"),
]
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
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    # The published lists are train and test: a twentieth of the training areas validates.
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="train.csv",
        data_prefix=dict(img_path="train"),
        holdout_fraction=0.05,
        holdout="exclude",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="train.csv",
        data_prefix=dict(img_path="train"),
        holdout_fraction=0.05,
        holdout="only",
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=4,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="test.csv",
        data_prefix=dict(img_path="test"),
        pipeline=test_pipeline,
    ),
)

val_evaluator = [dict(type="CloudIoUMetric")]
land_cover_metrics = [dict(type="CloudIoUMetric"), dict(type="CalibrationMetric")]
cloud_removal_metrics = [*land_cover_metrics, dict(type="CloudRemovalMetric")]
test_evaluator = dict(type="CloudSegEvaluator", metrics=land_cover_metrics)

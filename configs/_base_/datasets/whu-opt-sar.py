# WHU-OPT-SAR: GF-1 and GF-3 at 5 m, in tiles by tools/dataset_converters/whu_opt_sar.py. Its images are
# clear: validation and test tiles come with frozen clouds, training draws new ones at every visit.
dataset_type = "WHUOptSARDataset"
data_root = "data/whu-opt-sar/512"

# What these data ask of CloudSeg's networks.
network = dict(
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        # 8-bit products: red, green, blue, near infrared, and one band of backscatter.
        optical=dict(low=[0, 0, 0, 0], high=[255, 255, 255, 255]),
        sar=dict(low=[0], high=[255]),
    ),
    backbone=dict(bands=dict(optical=4, sar=1)),
    decode_head=dict(num_classes=7),
    test_cfg=dict(crop_size=(256, 256), stride=(128, 128)),
)

# Gaofen-1 under clouds, for tools/robustness.py and any pipeline that draws clouds.
simulated_clouds = dict(
    type="SimulateClouds",
    gsd_m=5,
    wavelengths_um=[0.66, 0.555, 0.485, 0.83],
    white=[245, 240, 240, 250],
)
clouds = dict(simulated_clouds, clear_fraction=0.1, redraw=True)
train_pipeline = [
    dict(type="AlignedRandomCrop", crop_size=256, step=1),
    dict(type="LoadRasters"),
    clouds,
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
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    # With clouds="stored" (converter: --freeze-train) take SimulateClouds out of the pipeline.
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="train.txt",
        clouds="simulated",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, ann_file="val.txt", pipeline=test_pipeline
    ),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=4,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, ann_file="test.txt", pipeline=test_pipeline
    ),
)

val_evaluator = [dict(type="CloudIoUMetric")]
land_cover_metrics = [dict(type="CloudIoUMetric"), dict(type="CalibrationMetric")]
cloud_removal_metrics = [*land_cover_metrics, dict(type="CloudRemovalMetric")]
test_evaluator = dict(type="CloudSegEvaluator", metrics=land_cover_metrics)

# M3M-CR (also published as M3R-CR): optical at 3 m, SAR and labels at 10 m.
dataset_type = "M3MCRDataset"
data_root = "data/m3mcr"

crop = dict(crop_size=160, step=10)  # in optical pixels: 160 is 48 label pixels, 10 is 3
train_pipeline = [
    dict(type="AlignedRandomCrop", **crop),
    dict(type="LoadRasters"),
    dict(type="PackCloudSegInputs"),
]
val_pipeline = [
    dict(type="AlignedCenterCrop", **crop),
    dict(type="LoadRasters"),
    dict(type="PackCloudSegInputs"),
]
test_pipeline = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]

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
test_evaluator = [dict(type="CloudIoUMetric"), dict(type="CloudRemovalMetric")]

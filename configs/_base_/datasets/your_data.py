# Files of your own: copy this file and the four leaves cloudseg*_your_data.py, replace your_data in them, and
# change what follows. tools/new_dataset.py writes such files from what it finds in your folders.
data_root = "data/your_data"

# Without cloud-free images take "cloud_free" out here and cloud_free_path out below, and train
# cloudseg_none_your_data.py: land cover alone, without cloud removal and without a teacher.
modalities = ["optical", "sar", "cloud_free"]
bands = dict(optical=["blue", "green", "red", "nir"], sar=["VV", "VH"])
classes = ["water", "forest", "fields", "built-up"]

# What these data ask of CloudSeg's networks.
network = dict(
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        # Each band is clipped to its range, in the model's unit, and scaled to [0, 1]: reflectance x 10 000 and dB.
        # 8-bit images have low 0 and high 255.
        optical=dict(low=[0, 0, 0, 0], high=[10000, 10000, 10000, 10000]),
        sar=dict(low=[-25, -32.5], high=[0, 0]),
    ),
    backbone=dict(bands=dict(optical=4, sar=2)),
    decode_head=dict(num_classes=4),
    # Windows of the test, as large as the crops of the training.
    test_cfg=dict(crop_size=(192, 192), stride=(96, 96)),
)

dataset = dict(
    type="OpticalSARDataset",
    data_root=data_root,
    metainfo=dict(
        classes=classes,
        palette=[[0, 100, 200], [0, 100, 0], [240, 150, 255], [250, 0, 0]],
        # Files that name their bands are read by these names, others in this order.
        bands=bands,
    ),
    # A folder for each modality. The files of a sample have one name in all of them, but for how they end.
    data_prefix=dict(
        img_path="optical",
        sar_path="sar",
        seg_map_path="labels",
        cloud_free_path="clear",
        cloud_mask_path="cloud_masks",  # without masks, leave it out: scores then do not tell cloudy pixels
    ),
    img_suffix=".tif",
    sar_suffix=".tif",
    cloud_free_suffix=".tif",
    cloud_mask_suffix=".tif",
    seg_map_suffix=".tif",
    # The unit of the files: reflectance (0 to 1), percent or reflectance_x10000; db, db_x100, linear or amplitude.
    # Scale and offset are taken from the files' GDAL tags, if they have them, or stated here:
    # optical=dict(unit="reflectance_x10000", offset=-1000) for Sentinel-2 since baseline 04.00.
    radiometry=dict(optical=dict(unit="reflectance_x10000"), sar=dict(unit="linear")),
    # nodata=dict(sar=0),  # where the files do not declare it
    # Code in the label files -> index in classes; 255 is ignored.
    label_codes={1: 0, 2: 1, 3: 2, 4: 3, 0: 255},
    # SAR, labels and masks of any other grid are warped to the optical image's by their georeference. Leave it out
    # where all files of a sample have the same corners.
    align="warp",
    sar_resampling="bilinear",  # or nearest, which keeps the speckle as it is
    # Label pixels per optical pixel: labels of 30 m with images of 10 m. Scores are on the label grid.
    label_scale=1 / 3,
    # Sentinel-2's scene classification. Without it: 0 clear, 1 cloud. Or dict(clear=[0], cloud=[1, 2], unknown=[255]),
    # or cloud_mask_threshold=40 in place of it, for a probability in percent.
    cloud_mask_codes="s2_scl",
    # allow_missing=["sar"],  # samples of a CSV list whose sar_path is empty
)

# Crops and their steps are whole label pixels: 192 are 64 of them, 3 are one. What changes training samples
# at random besides goes between LoadRasters and PackCloudSegInputs: docs/augmentation.md.
crop = dict(type="AlignedRandomCrop", crop_size=192, step=3)
load = [dict(type="LoadRasters", modalities=modalities), dict(type="PackCloudSegInputs")]
train_pipeline = [crop, *load]
test_pipeline = load

# A list has one name, without suffix, on each line; or it is a CSV file whose first row names its columns by the keys
# of data_prefix. Keep neighbours on the ground in one list.
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(dataset, ann_file="train.txt", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(dataset, ann_file="val.txt", pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(dataset, ann_file="test.txt", pipeline=test_pipeline),
)

val_evaluator = [dict(type="CloudIoUMetric")]
land_cover_metrics = [dict(type="CloudIoUMetric"), dict(type="CalibrationMetric")]
cloud_removal_metrics = [*land_cover_metrics, dict(type="CloudRemovalMetric")]
test_evaluator = dict(type="CloudSegEvaluator", metrics=land_cover_metrics)

# Clouds as your sensor sees them, for tools/robustness.py and to train under simulated clouds (docs/data.md).
simulated_clouds = dict(
    type="SimulateClouds", gsd_m=10, wavelengths_um=[0.490, 0.560, 0.665, 0.842], scale=10000
)

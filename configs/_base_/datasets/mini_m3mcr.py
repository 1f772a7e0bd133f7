# The mini data set: procedural scenes in M3M-CR's layout, by tools/make_mini_m3mcr.py.
_base_ = "./m3mcr.py"

data_root = "data/mini_m3mcr"
loader = dict(batch_size=4, num_workers=1)
train_dataloader = dict(
    sampler=dict(_delete_=True, type="InfiniteSampler", shuffle=True),
    dataset=dict(data_root=data_root, holdout_fraction=0.0),
    **loader,
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file="val.csv",
        data_prefix=dict(img_path="val"),
        holdout_fraction=0.0,
        holdout="exclude",
        pipeline=_base_.test_pipeline,
    ),
    **loader,
)
test_dataloader = dict(dataset=dict(data_root=data_root), **loader)

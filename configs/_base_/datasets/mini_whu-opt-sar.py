# Procedural scenes in WHU-OPT-SAR's layout, by tools/make_mini_whu_opt_sar.py and the converter.
_base_ = "./whu-opt-sar.py"

data_root = "data/mini_whu-opt-sar/256"
loader = dict(batch_size=4, num_workers=1)
train_pipeline = [
    dict(type="AlignedRandomCrop", crop_size=160, step=1),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type="InfiniteSampler", shuffle=True),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
    **loader,
)
val_dataloader = dict(dataset=dict(data_root=data_root), **loader)
test_dataloader = dict(dataset=dict(data_root=data_root), **loader)

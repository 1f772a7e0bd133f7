# Procedural patches in LuojiaSET-OSFCR's layout, by tools/make_mini_luojia.py.
_base_ = "./luojia-osfcr.py"

data_root = "data/mini_luojia-osfcr"
loader = dict(batch_size=4, num_workers=1)
train_pipeline = [
    dict(type="AlignedRandomCrop", crop_size=160, step=1),
    *_base_.train_pipeline,
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type="InfiniteSampler", shuffle=True),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
    **loader,
)
val_dataloader = dict(dataset=dict(data_root=data_root), **loader)
test_dataloader = dict(dataset=dict(data_root=data_root), **loader)

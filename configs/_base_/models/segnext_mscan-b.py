# MMSegmentation's SegNeXt-B (arXiv 2209.08575).
_base_ = "./encoder_decoder.py"

model = dict(
    backbone=dict(stream="mscan-b"),
    decode_head=dict(
        type="LightHamHead",
        in_channels=[128, 320, 512],
        in_index=[1, 2, 3],
        channels=512,
        ham_channels=512,
        ham_kwargs=dict(MD_S=1, MD_R=64, train_steps=6, eval_steps=7, inv_t=100, rand_init=True),
        norm_cfg=dict(type="GN", num_groups=32),
    ),
)

# The same with MiT-B0, from scratch: small enough for a CPU.
_base_ = ["./cloudseg_mit-b0.py", "./segformer_mit-b0.py"]

model = dict(
    _delete_=True,
    type="TwoStep",
    remover=dict(backbone=_base_.student.backbone, head=_base_.auxiliary_head),
    segmentor=dict(_base_.model, backbone=dict(_base_.model.backbone, pretrained=False)),
    test_cfg=dict(cloud_free=True, mode="slide", window_batch=16),
)

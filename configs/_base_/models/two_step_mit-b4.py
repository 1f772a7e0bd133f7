# The two-step habit: CloudSeg's streams and cloud-removal head alone, then SegFormer-B4 trained on clear
# images. What the data ask is in the leaf.
_base_ = ["./cloudseg_mit-b4.py", "./segformer_mit-b4.py"]

model = dict(
    _delete_=True,
    type="TwoStep",
    remover=dict(backbone=_base_.student.backbone, head=_base_.auxiliary_head),
    segmentor=_base_.model,
    test_cfg=dict(cloud_free=True, mode="slide", window_batch=16),
)

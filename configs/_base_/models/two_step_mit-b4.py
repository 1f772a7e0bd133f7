# The two-step habit: CloudSeg's streams and cloud-removal head alone, then SegFormer-B4 trained on clear
# images. A leaf adds what its data ask for.
_base_ = "./segformer_mit-b4.py"

model = dict(
    _delete_=True,
    type="TwoStep",
    remover=dict(
        backbone=dict(
            type="CrossModalBackbone", stream="mit-b4", spatial_gate=True, with_optical=True
        ),
        head=dict(
            type="CloudRemovalHead",
            in_index=[4, 5, 6, 7],
            loss_decode=dict(type="CloudRemovalLoss", loss_weight=1.0),
        ),
    ),
    segmentor=_base_.model,
    test_cfg=dict(cloud_free=True, mode="slide", window_batch=16),
)

# CMX with MiT-B2 (Zhang et al., arXiv 2203.04838). The paper trains with AdamW, learning rate 6e-5,
# weight decay 0.01, poly; here all methods have one schedule. A leaf adds what its data ask for.
model = dict(
    type="CloudSeg",
    backbone=dict(type="CMXBackbone", stream="mit-b2"),
    decode_head=dict(
        type="SegformerHead",
        in_index=[0, 1, 2, 3],
        channels=512,
        dropout_ratio=0.1,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="LandCoverLoss"),
    ),
    test_cfg=dict(mode="slide", window_batch=16),
)

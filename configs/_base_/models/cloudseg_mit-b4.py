# CloudSeg with MiT-B4 (Xu et al., ISPRS 2024): the student, its teacher, and the distillation of the two.
# A leaf adds what its data ask for: bands, value ranges, classes and windows (_base_/datasets).

decode_head = dict(
    type="UNetDecodeHead",
    in_index=[0, 1, 2, 3],
    # Cross entropy as a mean over labelled pixels. Another type, such as DiceLoss, takes its place whole.
    loss_decode=dict(type="LandCoverLoss"),
)

# The student: land cover and cloud removal.
model = dict(
    type="CloudSeg",
    backbone=dict(
        type="CrossModalBackbone",
        # A name of mmcloudseg/models/backbones/named_streams.py, or dict(type=…) as in any MMSeg config.
        stream="mit-b4",
        spatial_gate=True,
        with_optical=True,
    ),
    decode_head=decode_head,
    auxiliary_head=dict(
        type="CloudRemovalHead",
        in_index=[4, 5, 6, 7],
        loss_decode=dict(type="CloudRemovalLoss", loss_weight=1.0),
    ),
    test_cfg=dict(cloud_free=True, mode="slide", window_batch=16),
)

# The teacher. It has the student's streams, so that a backbone is swapped in one place.
teacher = dict(
    type="CloudSeg",
    backbone=dict(type="CrossModalBackbone", spatial_gate=False, with_optical=False),
    decode_head=decode_head,
    auxiliary_head=None,
    test_cfg=dict(cloud_free=False, mode="slide", window_batch=16),
)

# What the teacher's dataloaders read in place of the cloudy image.
clear_images = dict(dataset=dict(optical="cloud_free"))

# What turns the student into a network for land cover alone.
land_cover_only = dict(
    backbone=dict(with_optical=False), auxiliary_head=None, test_cfg=dict(cloud_free=False)
)

# What trains the student next to its teacher.
distill = dict(
    type="CloudFreeTeacherDistill",
    distiller=dict(
        type="mmrazor.ConfigurableDistiller",
        # The heads call forward() directly, which no hook sees: record their decoder.
        student_recorders=dict(
            feature=dict(type="mmrazor.ModuleOutputs", source="decode_head.decoder"),
            batch=dict(type="mmrazor.ModuleInputs", source=""),
        ),
        teacher_recorders=dict(
            feature=dict(type="mmrazor.ModuleOutputs", source="decode_head.decoder")
        ),
        distill_losses=dict(loss_kd=dict(type="mmseg.CloudFreeFeatureLoss", loss_weight=1.0)),
        loss_forward_mappings=dict(
            loss_kd=dict(
                s_feature=dict(recorder="feature", from_student=True),
                t_feature=dict(recorder="feature", from_student=False),
                data_samples=dict(recorder="batch", from_student=True, data_idx=1),
            )
        ),
    ),
)

# CloudSeg with MiT-B4 (Xu et al., ISPRS 2024): `student`, `teacher`, and `distill`, which trains the
# first beside the second. What the data ask (bands, ranges, classes, windows) is in _base_/datasets.

# A name of mmcloudseg/models/backbones/named_streams.py, or dict(type=…) as in any MMSeg config.
stream = "mit-b4"

decode_head = dict(
    type="UNetDecodeHead",
    in_index=[0, 1, 2, 3],
    # Mean over labelled pixels; MMSeg's default divides by all of them.
    loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
)

auxiliary_head = dict(
    type="CloudRemovalHead",
    in_index=[4, 5, 6, 7],
    loss_decode=dict(type="CloudRemovalLoss", loss_weight=1.0),
)

student = dict(
    type="CloudSeg",
    backbone=dict(
        type="CrossModalBackbone",
        stream=stream,
        spatial_gate=True,
        with_optical=True,
    ),
    decode_head=decode_head,
    auxiliary_head=auxiliary_head,
    test_cfg=dict(cloud_free=True, mode="slide", window_batch=16),
)

# Beside a student the teacher has the student's streams, unless it names its own.
teacher_beside = dict(
    type="CloudSeg",
    backbone=dict(type="CrossModalBackbone", spatial_gate=False, with_optical=False),
    decode_head=decode_head,
    test_cfg=dict(cloud_free=False, mode="slide", window_batch=16),
)
teacher = dict(teacher_beside, backbone=dict(teacher_beside["backbone"], stream=stream))

distill = dict(
    type="CloudFreeTeacherDistill",
    architecture=student,
    teacher=teacher_beside,
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

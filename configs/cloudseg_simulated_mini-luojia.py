# Study of clouds in training: the student under simulated clouds, tested under the set's own clouds.
_base_ = "./cloudseg_student_mini-luojia.py"

clouds = dict(
    type="SimulateClouds",
    gsd_m=10,
    wavelengths_um=[
        0.443, 0.490, 0.560, 0.665, 0.705, 0.740, 0.783, 0.842, 0.865, 0.945, 1.375, 1.610, 2.190
    ],
    clear_fraction=0.1,
)  # fmt: skip
train_dataloader = dict(
    dataset=dict(
        clouds="simulated",
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(redraw=True, **clouds),
            _base_.train_pipeline[-1],
        ],
    )
)
val_dataloader = dict(
    dataset=dict(
        clouds="simulated",
        pipeline=[
            *_base_.test_pipeline[:-1],
            clouds,
            _base_.test_pipeline[-1],
        ],
    )
)

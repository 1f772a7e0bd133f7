# Study of clouds in training: the student under simulated clouds, tested under the set's own clouds.
_base_ = "./cloudseg_student_mini-luojia.py"

clouds = dict(_base_.simulated_clouds, clear_fraction=0.1)
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

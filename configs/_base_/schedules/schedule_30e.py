# The paper's: Adam, 30 epochs, learning rate halved at 10, 15, 20, 25, best of a validation every 2.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = [dict(type="MultiStepLR", milestones=[10, 15, 20, 25], gamma=0.5, by_epoch=True)]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=30, val_interval=2)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
log_processor = dict(by_epoch=True)
default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(
        type="WholeCheckpointHook", interval=2, max_keep_ckpts=1, save_best="mIoU", rule="greater"
    ),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    visualization=dict(type="CloudSegVisualizationHook"),
)

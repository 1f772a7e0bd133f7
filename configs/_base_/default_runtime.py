default_scope = "mmseg"
custom_imports = dict(imports=["mmcloudseg"], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
vis_backends = [dict(type="LocalVisBackend")]
visualizer = dict(type="CloudSegLocalVisualizer", vis_backends=vis_backends)
tta_model = dict(type="CloudSegTTAModel")
log_level = "INFO"
load_from = None
resume = False
randomness = dict(seed=911)

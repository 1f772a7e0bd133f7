# Trained on clear images or under simulated clouds, and tested under clouds.
title = "What simulated clouds in training do"
data = "mini WHU-OPT-SAR"
seeds = [0, 1, 2]
reference = "clear"
metrics = {"PSNR cloudy (dB)": "cloud_removal/cloudy/PSNR"}
methods = dict(
    clear=dict(title="trained on clear images", config="cloudseg_clear_mini-whu.py"),
    simulated=dict(
        title="trained under simulated clouds", config="cloudseg_simulated_mini-whu.py"
    ),
)

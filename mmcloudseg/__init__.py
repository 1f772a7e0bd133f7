"""Land-cover maps from optical and SAR images, also under clouds: a plug-in to MMSegmentation.

Importing the package registers its datasets, transforms, models, metrics, hooks and visualisers in
MMSegmentation's own registries, so that any config can name them after
``custom_imports = dict(imports=['mmcloudseg'])``.
"""

from mmcloudseg import compat, datasets, engine, evaluation, models, visualization
from mmcloudseg.version import __version__

compat.never_run_pickled_code()
compat.allow_numpy_scalars_in_checkpoints()

__all__ = ["__version__", "compat", "datasets", "engine", "evaluation", "models", "visualization"]

"""Land-cover maps from optical and SAR images, also under clouds: a plug-in to MMSegmentation.

Importing the package registers its datasets, transforms, models, metrics, hooks and visualisers in
MMSegmentation's own registries, so that any config can name them after
``custom_imports = dict(imports=['mmcloudseg'])``.
"""

from mmcloudseg import compat

compat.import_mmseg()

from mmcloudseg import datasets, engine, evaluation, models, visualization  # noqa: E402
from mmcloudseg.version import __version__  # noqa: E402

compat.never_run_pickled_code()
compat.keep_training_state_plain()

__all__ = ["__version__", "compat", "datasets", "engine", "evaluation", "models", "visualization"]

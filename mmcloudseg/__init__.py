"""Land-cover maps from optical and SAR images, also under clouds: a plug-in to MMSegmentation.

Importing the package is cheap. As soon as MMSegmentation is imported, before or after, its
registries know this package's datasets, transforms, models, metrics, hooks and visualisers, so
that any config can name them after ``custom_imports = dict(imports=['mmcloudseg'])``.
"""

from wrapt import register_post_import_hook

from mmcloudseg.version import __version__

# By name: the hook's module imports torch, which `mmcloudseg.clouds` does without.
register_post_import_hook("mmcloudseg.compat:join_mmseg", "mmseg")
register_post_import_hook("mmcloudseg.compat:explain_inferencer", "mmseg.apis.mmseg_inferencer")

__all__ = ["__version__"]

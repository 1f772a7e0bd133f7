"""The study is a package of its own, found where its tool lies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "projects" / "scene_speed"))

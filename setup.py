"""Installs mmcloudseg; the requirements live in ``requirements/``, each with its reason."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name):
    """The requirements listed in ``requirements/<name>.txt``."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    stripped = (line.split("#")[0].strip() for line in lines)
    return [line for line in stripped if line]


def version():
    """The version, read without importing the package."""
    scope = {}
    exec((ROOT / "mmcloudseg" / "version.py").read_text(), scope)
    return scope["__version__"]


setup(
    name="mmcloudseg",
    version=version(),
    description="Land-cover maps from optical and SAR images, also under clouds",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["mmcloudseg", "mmcloudseg.*"]),
    python_requires=">=3.10",
    install_requires=requirements("mminstall") + requirements("runtime"),
    extras_require={"tests": requirements("tests"), "optional": requirements("optional")},
)

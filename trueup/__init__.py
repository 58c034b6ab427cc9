"""The public Python face, and nothing else."""

from importlib.metadata import version

__version__ = version("trueup")

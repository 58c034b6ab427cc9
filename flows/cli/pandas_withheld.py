"""pandas only where Python code asks for it: pyarrow imports it with its first array, to know its types.

That is a third of what a process that makes no frame costs to start, and pyarrow has no setting for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dis import opname
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import FrameType, ModuleType
from typing import Any

_NAME = "pandas"


def withhold_pandas() -> None:
    """From here on pyarrow works as where pandas is not installed, until Python code imports pandas.

    Only for a process that makes no frames: after that pyarrow knows Series and DataFrames, but its compiled part has
    asked for good, and takes NaT and NA among Python objects for values.
    """
    if _NAME not in sys.modules:
        sys.meta_path.insert(0, _Withheld())


class _Withheld(MetaPathFinder):
    """Refuses pandas to compiled code, and finds it as ever for Python's."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME:
            return None
        asking = _asking(sys._getframe(1))
        if asking.f_globals.get("__name__") == "importlib.util":  # it looks whether pandas is there
            return None
        if not _imports(asking):
            raise ModuleNotFoundError("pandas is withheld until Python code imports it", name=_NAME)
        sys.meta_path.remove(self)
        found = find_spec(_NAME)
        if found is not None and found.loader is not None:
            found.loader = _Announcing(found.loader)
        return found


class _Announcing(Loader):
    """Loads pandas by its own loader, then lets pyarrow know of it, which does not ask again by itself."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        import pyarrow as pa

        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        pa.nulls(0).to_pandas()


def _asking(frame: FrameType) -> FrameType:
    """The frame that led to an import, beyond those of the import system itself."""
    while frame.f_code.co_filename.startswith("<frozen importlib._bootstrap") and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _imports(frame: FrameType) -> bool:
    """Whether a frame imports, by statement or `import_module`; compiled code has none: its caller's is at a call."""
    if frame.f_globals.get("__name__") == "importlib":
        return True
    return opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_NAME"

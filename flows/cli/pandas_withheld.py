"""pandas only where Python code asks for it: pyarrow imports it with its first array, to know its types.

That is a third of what a process that makes no frame costs to start, and pyarrow has no setting for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_NAME = "pandas"


def withhold_pandas() -> None:
    """Have pyarrow ask for pandas now, in vain: it does not ask again, and works as where pandas is not installed.

    Only for a process that makes no frames. Once Python code imports pandas, pyarrow knows Series and DataFrames, but
    its compiled part has asked for good, and takes NaT and NA among Python objects for values.
    """
    if _NAME in sys.modules:
        return
    refuses = _Refusing()
    sys.meta_path.insert(0, refuses)
    try:
        import pyarrow as pa

        pa.array([1.0, None])
    finally:
        sys.meta_path.remove(refuses)
    sys.meta_path.insert(0, _Announcing())


class _Refusing(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _NAME:
            raise ModuleNotFoundError("pandas is withheld from pyarrow", name=_NAME)
        return None


class _Announcing(MetaPathFinder):
    """Finds pandas as ever; when it has been imported, pyarrow is told, which does not ask again by itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME:
            return None
        sys.meta_path.remove(self)
        try:
            found = find_spec(_NAME)
        finally:
            sys.meta_path.insert(0, self)
        if found is not None and found.loader is not None:
            found.loader = _Telling(found.loader)
        return found


class _Telling(Loader):
    """Loads pandas by its own loader, then has pyarrow look for it."""

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

"""botocore's descriptions of the services, loaded without the documentation in them.

Half of a model is prose for the help of a Python shell. Without it, and in plain dicts, the
clients of eight services take 13 MB of memory where botocore's own loader takes 20.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


def lean_loader() -> Loader:
    """A loader of the models that botocore ships, and of those in `~/.aws/models`."""
    return _Folders(file_loader=_Lean())


class _Folders(Loader):
    """Takes each folder of models for a service: botocore would look for files in all 400."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that there are; that one has no model of a type is told when it is read."""
        del type_name
        return self._services

    @cached_property
    def _services(self) -> list[str]:
        folders = [folder for folder in map(Path, self.search_paths) if folder.is_dir()]
        return sorted({path.name for folder in folders for path in folder.iterdir()})


class _Lean(JSONFileLoader):
    """Overrides the one place where botocore reads a file."""

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            prose = Path(full_path).name.startswith("service-2")
            return json.loads(file.read(), object_hook=_without_prose if prose else None)


def _without_prose(value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("documentation"), str):
        del value["documentation"]
    context = value.get("clientContextParams")
    if isinstance(context, dict):  # S3 has some, and botocore reads what each is for
        for told in context.values():
            told.setdefault("documentation", "")
    return value

"""The versions and aliases of a registered model, asked of MLflow itself where its tables cannot be read from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.training.registry.local_tables import Found


def versions_of_server(client: Any, name: str, failed: Callable[[str, Exception], Exception]) -> Found:
    """As `versions_in`, of whatever store; nothing where it knows no such name.

    Args:
        failed: makes the error that is raised where MLflow fails on something.
    """
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
        found, token = list[Any](), None
        while True:
            page = client.search_model_versions(f"name = '{name}'", max_results=1000, page_token=token)
            found += page
            token = page.token
            if not token:
                break
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return [], [], []
        raise failed(f"the versions of '{name}'", error) from error
    return (
        [(int(one.version), one.run_id, one.creation_timestamp) for one in found],
        [(int(one.version), key, value) for one in found for key, value in one.tags.items()],
        [(alias, int(at)) for alias, at in aliases.items()],
    )

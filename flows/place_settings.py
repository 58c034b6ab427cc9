"""Where a deployment keeps its state, what it serves and publishes, and what its models are read with."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from trueup.reports.alerts.links import checked_site
from trueup.reports.masking import MaskRule
from trueup.storage.locations import checked_archive, checked_registry, checked_store
from trueup.storage.policy import Frozen


class StoreSettings(Frozen):
    """Where records and history are kept; empty means the home folder."""

    url: Annotated[str, AfterValidator(checked_store)] = ""
    archive: Annotated[str, AfterValidator(checked_archive)] = ""


class TrackingSettings(Frozen):
    """Where MLflow keeps runs and models; empty means the home folder.

    prefix: begins the names of registered models and experiments, for a server that several deployments share.
    block: name of a saved Prefect block `Secret` with the server's login, {"username": …, "password": …}; without it
        MLflow's own variables count.
    """

    uri: Annotated[str, AfterValidator(checked_registry)] = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$|^$", max_length=100)] = ""
    block: str = ""


class ServeSettings(Frozen):
    """What is served while `trueup serve` runs; loopback only.

    port: of Prefect's own pages. pages_port: of trueup's. pages: whether trueup's are shown.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 4200
    pages_port: Annotated[int, Field(ge=1, le=65535)] = 4201
    pages: bool = True


class SiteSettings(Frozen):
    """The site of plain pages that each cycle brings up to date; without `to` there is none.

    to: a folder or fsspec URL. url: where people read it, for links in mails. mask: whether personal data is masked in
        what outsiders wrote, there and in what is exported; auto: wherever the place is no local folder.
    """

    to: Annotated[str, AfterValidator(checked_archive)] = ""
    url: Annotated[str, AfterValidator(checked_site)] = ""
    mask: MaskRule = "auto"


class EmbeddingSettings(Frozen):
    """The ONNX file that reads texts as sentence embeddings; empty: that of the extra `embeddings`."""

    weights: str = ""

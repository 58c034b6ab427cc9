"""A bucket on loopback, by S3's own protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def serving_bucket(name: str) -> Iterator[Any]:
    """A client of a server with a bucket of this name, whose address and login stand in the environment meanwhile."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    patch = pytest.MonkeyPatch()
    try:
        host, port = server.get_host_and_port()
        login = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        for variable, value in {**login, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            patch.setenv(variable, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket=name)
        yield client
    finally:
        patch.undo()
        server.stop()

"""What every gateway promises of the bucket that nested templates are read from."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import scripted_gateway
from tests import worlds
from tests.contract.conftest import KEYS, connected

BUCKET = Bucket("bgconsole-artifacts-contract", KEYS["AWS_ACCESS_KEY_ID"])
KEY = "bgconsole/demo/0123.yml"


@pytest.fixture(params=["scripted", "sandbox"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    if request.param == "scripted":
        yield scripted_gateway(worlds.steady())
    else:
        yield connected(request.getfixturevalue("sandbox_url"))


def test_a_bucket_is_made_filled_emptied_and_dropped(gateway: Gateway) -> None:
    artifacts = gateway.artifacts
    assert artifacts.look(BUCKET, "bgconsole/") == Held(BUCKET)
    with pytest.raises(NotThere, match=BUCKET.name):
        artifacts.put(BUCKET, KEY, "text")
    artifacts.make(BUCKET, create=True)
    assert artifacts.look(BUCKET, "bgconsole/") == Held(BUCKET, there=True, made_by_us=True)
    artifacts.put(BUCKET, KEY, "text")
    artifacts.put(BUCKET, "else/1.yml", "text")
    held = artifacts.look(BUCKET, "bgconsole/demo/")
    assert held == Held(BUCKET, True, True, frozenset({KEY}), others=True)
    with pytest.raises(Rejected) as refused:
        artifacts.drop(BUCKET)
    assert refused.value.code == "BucketNotEmpty"
    for key in (KEY, KEY, "else/1.yml"):
        artifacts.remove(BUCKET, key)
    artifacts.drop(BUCKET)
    assert not artifacts.look(BUCKET, "bgconsole/").there


def test_what_is_made_is_private_and_encrypted_and_a_stranger_s_is_not_ours(
    sandbox_url: str,
) -> None:
    gateway = connected(sandbox_url)
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=sandbox_url)
    s3.create_bucket(Bucket=BUCKET.name)
    try:
        assert not gateway.artifacts.look(BUCKET, "bgconsole/").made_by_us
        gateway.artifacts.make(BUCKET, create=False)
        block = s3.get_public_access_block(Bucket=BUCKET.name)["PublicAccessBlockConfiguration"]
        assert len(block) == 4
        assert all(block.values())
        encrypted = s3.get_bucket_encryption(Bucket=BUCKET.name)
        (rule,) = encrypted["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        gateway.artifacts.put(BUCKET, KEY, "text")
        assert gateway.artifacts.url(BUCKET.name, KEY) == f"{sandbox_url}/{BUCKET.name}/{KEY}"
        assert s3.get_object(Bucket=BUCKET.name, Key=KEY)["Body"].read() == b"text"
    finally:
        s3.delete_object(Bucket=BUCKET.name, Key=KEY)
        s3.delete_bucket(Bucket=BUCKET.name)

"""What S3 is asked for nested templates: always of the account that must own the bucket."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.errors import AccessDenied, Rejected
from bgconsole.gateway.aws.artifacts import AwsArtifacts
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.clients import Clients

BUCKET = Bucket("ours", "123456789012")
OWNED = {"Bucket": "ours", "ExpectedBucketOwner": "123456789012"}


def clients(region: str = "us-east-1") -> Clients:
    def session() -> Any:
        made = botocore.session.Session()
        made.set_credentials("AKIDEXAMPLE", "not-a-secret")
        return made

    return Clients(region=region, caller=Caller(), new_session=session)


@pytest.mark.parametrize(
    ("region", "where"),
    [
        ("us-east-1", {}),
        ("eu-west-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ],
)
def test_a_bucket_is_made_in_its_region_and_closed(region: str, where: dict[str, object]) -> None:
    made = clients(region)
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    tags = {"TagSet": [{"Key": "bgconsole", "Value": "artifacts"}]}
    with Stubber(made.client("s3", write=True)) as stub:
        stub.add_response(
            "create_bucket",
            {},
            {"Bucket": "ours", "ObjectOwnership": "BucketOwnerEnforced", **where},
        )
        for call, more in (
            ("put_public_access_block", {"PublicAccessBlockConfiguration": block}),
            ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}),
            ("put_bucket_tagging", {"Tagging": tags}),
        ):
            stub.add_response(call, {}, {**OWNED, **more})
        AwsArtifacts(made).make(BUCKET, create=True)
        stub.assert_no_pending_responses()
    assert AwsArtifacts(made).url("ours", "a/b.yml") in (
        f"https://s3.{region}.amazonaws.com/ours/a/b.yml",
        "https://s3.amazonaws.com/ours/a/b.yml",
    )


def test_each_write_names_the_owner() -> None:
    made = clients()
    artifacts = AwsArtifacts(made)
    with Stubber(made.client("s3", write=True)) as stub:
        stub.add_response("put_object", {}, {**OWNED, "Key": "k", "Body": "text é".encode()})
        stub.add_response("delete_object", {}, {**OWNED, "Key": "k"})
        stub.add_response("delete_bucket", {}, OWNED)
        artifacts.put(BUCKET, "k", "text é")
        artifacts.remove(BUCKET, "k")
        artifacts.drop(BUCKET)
        stub.assert_no_pending_responses()


def listed(stub: Stubber, whole: dict[str, object], *keys: str) -> None:
    of_prefix = {"Contents": [{"Key": key} for key in keys], "IsTruncated": False}
    stub.add_response("list_objects_v2", of_prefix, {**OWNED, "Prefix": "bgconsole/demo/"})
    stub.add_response("list_objects_v2", whole, OWNED)


def test_a_long_list_holds_others_whatever_its_first_page_is() -> None:
    made = clients()
    key = "bgconsole/demo/1.yml"
    with Stubber(made.client("s3")) as stub:
        for truncated in (False, True):
            listed(stub, {"Contents": [{"Key": key}], "IsTruncated": truncated}, key)
            stub.add_client_error("get_bucket_tagging", "NoSuchTagSet", http_status_code=404)
            held = AwsArtifacts(made).look(BUCKET, "bgconsole/demo/")
            assert held == Held(BUCKET, True, False, frozenset({key}), others=truncated)


def test_what_another_account_owns_or_a_tag_that_cannot_be_read_is_told() -> None:
    made = clients()
    with Stubber(made.client("s3")) as stub:
        stub.add_client_error("list_objects_v2", "AccessDenied", "Access Denied", 403)
        with pytest.raises(AccessDenied, match="s3:ListBucket"):
            AwsArtifacts(made).look(BUCKET, "bgconsole/demo/")
        listed(stub, {"IsTruncated": False})
        stub.add_client_error("get_bucket_tagging", "MethodNotAllowed", "Not that one", 405)
        with pytest.raises(Rejected, match="Not that one"):
            AwsArtifacts(made).look(BUCKET, "bgconsole/demo/")

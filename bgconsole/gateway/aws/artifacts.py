"""S3, as far as nested templates need it: a bucket of our own, objects below a prefix of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import request_id
from bgconsole.gateway.port import Submitted

_TAG = {"Key": "bgconsole", "Value": "artifacts"}
"""Of a bucket that we made."""
_HOME = "us-east-1"
"""The one region that CreateBucket does not take as a LocationConstraint."""


@dataclass(frozen=True, slots=True)
class AwsArtifacts:
    """The `Artifacts` port."""

    clients: Clients

    def url(self, bucket: str, key: str) -> str:
        """In path style, as `aws cloudformation package` writes it; nothing is asked."""
        with self.clients.reading("the address of S3", f"bucket {bucket}"):
            return f"{self.clients.address('s3')}/{bucket}/{key}"

    def look(self, bucket: Bucket, prefix: str) -> Held:
        """ListObjectsV2 of the prefix and of the whole (one page), GetBucketTagging."""
        asked = {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.owner}
        try:
            with self.clients.reading("s3:ListBucket", f"bucket {bucket.name}"):
                client = self.clients.client("s3")
                pages = client.get_paginator("list_objects_v2").paginate(**asked, Prefix=prefix)
                keys = frozenset(raw["Key"] for p in pages for raw in p.get("Contents") or ())
                whole = client.list_objects_v2(**asked)
        except NotThere:
            return Held(bucket)
        listed = {raw["Key"] for raw in whole.get("Contents") or ()}
        return Held(
            bucket,
            there=True,
            made_by_us=self._made_by_us(asked, bucket.name),
            keys=keys,
            others=bool(listed - keys) or bool(whole.get("IsTruncated")),
        )

    def make(self, bucket: Bucket, *, create: bool) -> Submitted:
        """CreateBucket, PutPublicAccessBlock, PutBucketEncryption, PutBucketTagging.

        The tag comes last: a bucket that has it is whole.
        """
        name = bucket.name
        asked = {"Bucket": name, "ExpectedBucketOwner": bucket.owner}
        made: dict[str, Any] = {"Bucket": name, "ObjectOwnership": "BucketOwnerEnforced"}
        if self.clients.region != _HOME:
            made["CreateBucketConfiguration"] = {"LocationConstraint": self.clients.region}
        if create:
            self._write("CreateBucket", name, lambda c: c.create_bucket(**made))
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"),
            True,
        )
        self._write(
            "PutBucketPublicAccessBlock",
            name,
            lambda c: c.put_public_access_block(**asked, PublicAccessBlockConfiguration=block),
        )
        by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        self._write(
            "PutEncryptionConfiguration",
            name,
            lambda c: c.put_bucket_encryption(
                **asked, ServerSideEncryptionConfiguration={"Rules": [by_default]}
            ),
        )
        answer = self._write(
            "PutBucketTagging",
            name,
            lambda c: c.put_bucket_tagging(**asked, Tagging={"TagSet": [_TAG]}),
        )
        return Submitted(request_id(answer))

    def put(self, bucket: Bucket, key: str, body: str) -> Submitted:
        """PutObject."""
        answer = self._write(
            "PutObject",
            bucket.name,
            lambda c: c.put_object(
                Bucket=bucket.name, ExpectedBucketOwner=bucket.owner, Key=key, Body=body.encode()
            ),
        )
        return Submitted(request_id(answer))

    def remove(self, bucket: Bucket, key: str) -> Submitted:
        """DeleteObject."""
        answer = self._write(
            "DeleteObject",
            bucket.name,
            lambda c: c.delete_object(
                Bucket=bucket.name, ExpectedBucketOwner=bucket.owner, Key=key
            ),
        )
        return Submitted(request_id(answer))

    def drop(self, bucket: Bucket) -> Submitted:
        """DeleteBucket."""
        answer = self._write(
            "DeleteBucket",
            bucket.name,
            lambda c: c.delete_bucket(Bucket=bucket.name, ExpectedBucketOwner=bucket.owner),
        )
        return Submitted(request_id(answer))

    def _made_by_us(self, asked: Mapping[str, str], name: str) -> bool:
        try:
            with self.clients.reading("s3:GetBucketTagging", f"bucket {name}"):
                answer = self.clients.client("s3").get_bucket_tagging(**asked)
        except Rejected as error:
            if error.code != "NoSuchTagSet":
                raise
            return False
        return _TAG in answer["TagSet"]

    def _write(self, action: str, bucket: str, send: Callable[[Any], Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.clients.writing(
            f"s3:{action}",
            f"bucket {bucket}",
            lambda: send(self.clients.client("s3", write=True)),
        )
        return answer

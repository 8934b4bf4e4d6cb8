"""ECR, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bgconsole.domain.images import Image
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import LONG_AGO, utc

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef


@dataclass(frozen=True, slots=True)
class AwsImages:
    """The `Images` port."""

    clients: Clients

    def images(self, repository: str) -> tuple[Image, ...]:
        """DescribeImages, every page; newest first."""
        with self.clients.reading("ecr:DescribeImages", f"repository {repository}"):
            pages = (
                self.clients.client("ecr")
                .get_paginator("describe_images")
                .paginate(repositoryName=repository)
            )
            found = [_image(raw) for page in pages for raw in page["imageDetails"]]
        return tuple(sorted(found, key=lambda i: i.pushed_at or LONG_AGO, reverse=True))

    def find(self, repository: str, *, tag: str = "", digest: str = "") -> Image | None:
        """DescribeImages of one."""
        wanted: ImageIdentifierTypeDef = {}
        if tag:
            wanted["imageTag"] = tag
        if digest:
            wanted["imageDigest"] = digest
        with self.clients.reading("ecr:DescribeImages", f"repository {repository}"):
            client = self.clients.client("ecr")
            try:
                answer = client.describe_images(repositoryName=repository, imageIds=[wanted])
            except client.exceptions.ImageNotFoundException:
                return None
        return next(map(_image, answer.get("imageDetails", ())), None)


def _image(raw: Mapping[str, Any]) -> Image:
    return Image(
        repository=raw.get("repositoryName", ""),
        digest=raw.get("imageDigest", ""),
        tags=tuple(raw.get("imageTags") or ()),
        pushed_at=utc(raw.get("imagePushedAt")),
        size=raw.get("imageSizeInBytes"),
    )

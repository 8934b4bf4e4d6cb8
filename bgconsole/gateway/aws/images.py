"""ECR, read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bgconsole.domain.builds import RegistryLogin
from bgconsole.domain.errors import AccessDenied, Rejected
from bgconsole.domain.images import Image, Repository
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import LONG_AGO, utc

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Media types of an image that is made of one manifest for each platform."""


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
        """DescribeImages of one; of an index also BatchGetImage, for its manifests."""
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
        raw: Mapping[str, Any] | None = next(iter(answer.get("imageDetails", ())), None)
        if raw is None:
            return None
        image = _image(raw)
        if raw.get("imageManifestMediaType") not in INDEXES:
            return image
        try:
            return replace(image, parts=self._parts(repository, image.digest))
        except AccessDenied as error:
            return replace(image, unread=error.brief)

    def _parts(self, repository: str, digest: str) -> tuple[str, ...]:
        """The manifests of an index."""
        with self.clients.reading("ecr:BatchGetImage", f"repository {repository}"):
            answer = self.clients.client("ecr").batch_get_image(
                repositoryName=repository,
                imageIds=[{"imageDigest": digest}],
                acceptedMediaTypes=list(INDEXES),
            )
        return tuple(
            part for image in answer.get("images", ()) for part in _digests(image["imageManifest"])
        )

    def repository(self, name: str) -> Repository | None:
        """DescribeRepositories of one."""
        with self.clients.reading("ecr:DescribeRepositories", f"repository {name}"):
            client = self.clients.client("ecr")
            try:
                answer = client.describe_repositories(repositoryNames=[name])
            except client.exceptions.RepositoryNotFoundException:
                return None
        found = next(iter(answer.get("repositories", ())), None)
        if found is None:
            return None
        moving = tuple(
            each.get("filter", "") for each in found.get("imageTagMutabilityExclusionFilters", ())
        )
        mutability = found.get("imageTagMutability", "")
        return Repository(
            name=found.get("repositoryName", name),
            uri=found.get("repositoryUri", ""),
            # With exclusions that are not told nothing is known: ECR will refuse what it must.
            immutable=mutability == "IMMUTABLE"
            or (mutability == "IMMUTABLE_WITH_EXCLUSION" and bool(moving)),
            moving=moving,
        )

    def login(self) -> RegistryLogin:
        """GetAuthorizationToken, taken apart."""
        with self.clients.reading("ecr:GetAuthorizationToken", "the registry"):
            answer = self.clients.client("ecr").get_authorization_token()
            data = answer.get("authorizationData", ())
            token = next((d.get("authorizationToken", "") for d in data), "")
        try:
            user, _, password = base64.b64decode(token).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        if not password:
            raise Rejected("ECR gave no login", "its authorization token cannot be read")
        return RegistryLogin(user, password)


def _image(raw: Mapping[str, Any]) -> Image:
    return Image(
        repository=raw.get("repositoryName", ""),
        digest=raw.get("imageDigest", ""),
        tags=tuple(raw.get("imageTags") or ()),
        pushed_at=utc(raw.get("imagePushedAt")),
        size=raw.get("imageSizeInBytes"),
    )


def _digests(manifest: str) -> Iterator[str]:
    """Of the manifests that an index lists."""
    try:
        listed = json.loads(manifest).get("manifests", ())
    except (ValueError, AttributeError):
        return
    for part in listed:
        if isinstance(part, dict) and isinstance(part.get("digest"), str):
            yield part["digest"]

"""CloudFormation, written: one request a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import chunked, request_id
from bgconsole.gateway.port import NO_TAGS, Submitted

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
"""The change set shows the roles that these allow before anything is made."""
_IMAGES = 100
"""The most that one BatchDeleteImage takes."""


@dataclass(frozen=True, slots=True)
class AwsStackChanges:
    """The `StackChanges` port."""

    clients: Clients

    def draft(
        self,
        stack: str,
        name: str,
        *,
        template: str,
        parameters: Mapping[str, str],
        keep: Sequence[str] = (),
        create: bool,
        nested: bool = False,
        tags: Mapping[str, str] = NO_TAGS,
    ) -> Submitted:
        """CreateChangeSet. With its token it is made once."""
        listed: list[dict[str, Any]] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ]
        listed += [{"ParameterKey": key, "UsePreviousValue": True} for key in keep]
        request: dict[str, Any] = {
            "StackName": stack,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if create else "UPDATE",
            "ClientToken": f"bgconsole-{uuid4().hex}",
            "Parameters": listed,
            "Capabilities": list(CAPABILITIES),
        }
        if nested:
            request["IncludeNestedStacks"] = True
        if tags:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        request |= {"TemplateBody": template} if template else {"UsePreviousTemplate": True}
        answer = self._write("CreateChangeSet", stack, lambda c: c.create_change_set(**request))
        return Submitted(request_id(answer), created=str(answer.get("Id", "")))

    def execute(self, stack: str, name: str) -> Submitted:
        """ExecuteChangeSet."""
        token = f"bgconsole-{uuid4().hex}"
        answer = self._write(
            "ExecuteChangeSet",
            stack,
            lambda c: c.execute_change_set(
                StackName=stack, ChangeSetName=name, ClientRequestToken=token
            ),
        )
        return Submitted(request_id(answer), deployment=stack)

    def discard(self, stack: str, name: str) -> Submitted:
        """DeleteChangeSet."""
        answer = self._write(
            "DeleteChangeSet",
            stack,
            lambda c: c.delete_change_set(StackName=stack, ChangeSetName=name),
        )
        return Submitted(request_id(answer))

    def delete(self, stack: str) -> Submitted:
        """DeleteStack."""
        token = f"bgconsole-{uuid4().hex}"
        answer = self._write(
            "DeleteStack",
            stack,
            lambda c: c.delete_stack(StackName=stack, ClientRequestToken=token),
        )
        return Submitted(request_id(answer), deployment=stack)

    def cancel_update(self, stack: str) -> Submitted:
        """CancelUpdateStack."""
        token = f"bgconsole-{uuid4().hex}"
        answer = self._write(
            "CancelUpdateStack",
            stack,
            lambda c: c.cancel_update_stack(StackName=stack, ClientRequestToken=token),
        )
        return Submitted(request_id(answer), deployment=stack)

    def continue_rollback(self, stack: str, skip: Sequence[str] = ()) -> Submitted:
        """ContinueUpdateRollback."""
        request: dict[str, Any] = {
            "StackName": stack,
            "ClientRequestToken": f"bgconsole-{uuid4().hex}",
        }
        if skip:
            request["ResourcesToSkip"] = list(skip)
        answer = self._write(
            "ContinueUpdateRollback", stack, lambda c: c.continue_update_rollback(**request)
        )
        return Submitted(request_id(answer), deployment=stack)

    def check_drift(self, stack: str) -> Submitted:
        """DetectStackDrift."""
        answer = self._write(
            "DetectStackDrift", stack, lambda c: c.detect_stack_drift(StackName=stack)
        )
        return Submitted(request_id(answer), created=str(answer.get("StackDriftDetectionId", "")))

    def empty_repository(self, repository: str) -> Submitted:
        """ListImages, then BatchDeleteImage by the hundred."""
        with self.clients.reading("ecr:ListImages", f"repository {repository}"):
            pages = (
                self.clients.client("ecr")
                .get_paginator("list_images")
                .paginate(repositoryName=repository)
            )
            images = [image for page in pages for image in page["imageIds"]]
        last: Mapping[str, Any] = {}
        for some in chunked(images, _IMAGES):
            last = self._delete_images(repository, some)
        return Submitted(request_id(last))

    def _delete_images(
        self, repository: str, images: Sequence[ImageIdentifierTypeDef]
    ) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.clients.writing(
            "ecr:BatchDeleteImage",
            f"repository {repository}",
            lambda: self.clients.client("ecr", write=True).batch_delete_image(
                repositoryName=repository, imageIds=images
            ),
        )
        return answer

    def _write(self, call: str, stack: str, send: Callable[[Any], Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.clients.writing(
            f"cloudformation:{call}",
            f"stack {stack}",
            lambda: send(self.clients.client("cloudformation", write=True)),
        )
        return answer

"""CodeDeploy: a deployment is read, and stopped so that it is rolled back.

Tried with botocore's Stubber only: no CodeDeploy was there to try it on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bgconsole.domain.codedeploy import CodeDeployment, Revision
from bgconsole.domain.errors import AccessDenied, GatewayError
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import LONG_AGO, request_id, utc
from bgconsole.gateway.port import Submitted

_RUNNING = ("Created", "Queued", "InProgress", "Baking", "Ready")
_PLACES = {"S3": "s3Location", "String": "string", "AppSpecContent": "appSpecContent"}


@dataclass(slots=True)
class AwsCodeDeploy:
    """The `CodeDeploy` port."""

    clients: Clients
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _succeeded: dict[str, CodeDeployment] = field(default_factory=dict)
    _contents: dict[tuple[str, str], Revision] = field(default_factory=dict)

    def deployment(self, deployment: str) -> CodeDeployment:
        """GetDeployment, and again of the one that takes it back; what succeeded is kept.

        Of one that succeeded, ListDeployments of its group as well: another may have begun.
        """
        found = self._known(deployment)
        if found.status != "Succeeded":
            return found
        return replace(found, another=self._another(found))

    def _another(self, ended: CodeDeployment) -> CodeDeployment | None:
        """The newest of the group that has not ended; none where it may not be asked."""
        words = f"the deployments of group {ended.group}"
        try:
            with self.clients.reading("codedeploy:ListDeployments", words):
                pages = (
                    self.clients.client("codedeploy")
                    .get_paginator("list_deployments")
                    .paginate(
                        applicationName=ended.application,
                        deploymentGroupName=ended.group,
                        includeOnlyStatuses=list(_RUNNING),
                    )
                )
                names = [name for page in pages for name in page.get("deployments", ())]
        except AccessDenied:
            return None
        found = [self._read(name) for name in names if name != ended.id]
        running = [one for one in found if one.ongoing]
        return max(running, key=lambda one: one.created_at or LONG_AGO, default=None)

    def _known(self, deployment: str) -> CodeDeployment:
        with self._lock:
            kept = self._succeeded.get(deployment)
        if kept is not None:
            return kept
        found = self._read(deployment)
        if found.back_id:
            found = replace(found, back=self._read(found.back_id))
        if found.status != "Succeeded":
            return found
        previous = found.previous
        if previous is not None and not previous.document and previous.sha256:
            found = replace(found, previous=self._whole(found.application, previous))
        with self._lock:
            self._succeeded[deployment] = found
        return found

    def stop(self, deployment: str) -> Submitted:
        """StopDeployment with autoRollbackEnabled. One that has ended is refused by AWS."""
        answer = self.clients.writing(
            "codedeploy:StopDeployment",
            f"CodeDeploy deployment {deployment}",
            lambda: self.clients.client("codedeploy", write=True).stop_deployment(
                deploymentId=deployment, autoRollbackEnabled=True
            ),
        )
        return Submitted(request_id(answer), deployment=deployment)

    def _read(self, deployment: str) -> CodeDeployment:
        words = f"CodeDeploy deployment {deployment}"
        with self.clients.reading("codedeploy:GetDeployment", words):
            answer = self.clients.client("codedeploy").get_deployment(deploymentId=deployment)
        return codedeployment(deployment, answer.get("deploymentInfo") or {})

    def _whole(self, application: str, revision: Revision) -> Revision:
        """GetApplicationRevision; as it was where it cannot be had."""
        key = (application, revision.sha256)
        with self._lock:
            kept = self._contents.get(key)
        if kept is not None:
            return kept
        asked = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": revision.sha256}}
        try:
            with self.clients.reading(
                "codedeploy:GetApplicationRevision", f"a revision of application {application}"
            ):
                answer = self.clients.client("codedeploy").get_application_revision(
                    applicationName=application, revision=asked
                )
        except GatewayError:
            # Only the command that is named for it is less exact then.
            return revision
        found = _revision(answer.get("revision")) or revision
        with self._lock:
            self._contents[key] = found
        return found


def codedeployment(name: str, raw: Mapping[str, Any]) -> CodeDeployment:
    """What GetDeployment answers as a domain value; missing members are taken as they are."""
    rollback = raw.get("rollbackInfo") or {}
    style = raw.get("blueGreenDeploymentConfiguration") or {}
    ready = style.get("deploymentReadyOption") or {}
    ending = style.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    stops = ready.get("actionOnTimeout") == "STOP_DEPLOYMENT"
    return CodeDeployment(
        id=raw.get("deploymentId") or name,
        status=raw.get("status", ""),
        application=raw.get("applicationName", ""),
        group=raw.get("deploymentGroupName", ""),
        configuration=raw.get("deploymentConfigName", ""),
        created_at=utc(raw.get("createTime")),
        completed_at=utc(raw.get("completeTime")),
        problem=(raw.get("errorInformation") or {}).get("message", ""),
        shifted=bool(raw.get("instanceTerminationWaitTimeStarted", False)),
        keeps=ending.get("terminationWaitTimeInMinutes"),
        waits=ready.get("waitTimeInMinutes") if stops else None,
        back_id=rollback.get("rollbackDeploymentId", ""),
        back_words=rollback.get("rollbackMessage", ""),
        takes_back=rollback.get("rollbackTriggeringDeploymentId", ""),
        previous=_revision(raw.get("previousRevision")),
    )


def _revision(raw: Mapping[str, Any] | None) -> Revision | None:
    """A RevisionLocation; `document` is what CreateDeployment takes, where it is whole."""
    if not raw:
        return None
    kind = raw.get("revisionType", "")
    name = _PLACES.get(kind, "")
    place = dict(raw.get(name) or {}) if name else {}
    sha256 = str(place.pop("sha256", ""))
    if not place.get("content" if kind != "S3" else "key"):
        return Revision(kind, sha256=sha256)
    document = json.dumps({"revisionType": kind, name: place})
    return Revision(kind, document, sha256)

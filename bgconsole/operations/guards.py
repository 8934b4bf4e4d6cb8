"""Reasons why no operation may run, whichever it is."""

from __future__ import annotations

from typing import Any

from bgconsole.domain.rollout import Rollout, rollout
from bgconsole.domain.snapshot import Part, Snapshot
from bgconsole.operations.spec import No


def unread(snapshot: Snapshot) -> No | None:
    """Nothing is known of the service yet."""
    absent = snapshot.service.absent
    return unknown(snapshot.service, "The service") or (No(absent) if absent else None)


def unknown(part: Part[Any], what: str) -> No | None:
    """What an operation goes by is not known: that nothing was seen does not mean that it is so."""
    if part.value is not None:
        return None
    if part.failure is not None:
        return No(f"{what} could not be read: {part.failure.error.brief}.")
    many = "have" if what.endswith("s") else "has"
    return None if part.absent else No(f"{what} {many} not been read yet.")


def not_ours_to_deploy(snapshot: Snapshot) -> No | None:
    """Another controller deploys it: UpdateService refuses task definition and force there."""
    service = snapshot.service.value
    if service is None or service.controller == "ECS":
        return None
    who = "CodeDeploy" if service.by_codedeploy else "an external controller"
    told = f"{who} deploys this service: ECS takes neither a redeploy nor a roll back for it."
    return No(f"{told} Its roll back is asked of CodeDeploy." if service.by_codedeploy else told)


def at_rest(snapshot: Snapshot, instead: str) -> No | None:
    """No other deployment can begin now; `instead` is what to do while one is under way."""
    if no := unread(snapshot) or not_ours_to_deploy(snapshot):
        return no
    return No(f"A deployment is under way: {instead}") if snapshot.deploying else None


def rollout_or_no(snapshot: Snapshot, none: str) -> Rollout | No:
    """The deployment that ECS works on, or why there is nothing to decide about it."""
    if no := unread(snapshot) or not_ours_to_deploy(snapshot):
        return no
    found = rollout(snapshot) or unknown(snapshot.deployments, "The service's deployments")
    return found or No(f"No deployment is under way: {none}")

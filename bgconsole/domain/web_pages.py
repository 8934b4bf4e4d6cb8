"""Where the site, or AWS's own page about a row, is found in a browser."""

from __future__ import annotations

from urllib.parse import quote

from bgconsole.domain.identity import Place
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot

_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
"""By the beginning of a region's name; all others are the commercial partition's."""


def web_page(snapshot: Snapshot, pane: str, selection: str) -> str:
    """The address for a row of a pane; the site's where there is no AWS page, empty without any.

    An endpoint that is not AWS's own has no pages at AWS.

    Args:
        snapshot: what is known.
        pane: `tasks`, `targets`, `stacks`, `logs` or another.
        selection: the row's key; ARNs for tasks and stacks.
    """
    site = snapshot.targets.value.url if snapshot.targets.value else ""
    if snapshot.place.endpoint:
        return site
    if pane == "tasks" and selection.startswith("arn:"):
        return _task(snapshot.place, snapshot.ref, selection)
    if pane == "targets" and selection:
        groups = snapshot.targets.value.groups if snapshot.targets.value else ()
        group = next((g.arn for g in groups if selection.startswith(g.arn)), "")
        return (
            _console(
                snapshot.place,
                f"ec2/home?region={snapshot.place.region}#TargetGroup:targetGroupArn={group}",
            )
            if group
            else site
        )
    if pane == "stacks" and selection.startswith("arn:"):
        region = snapshot.place.region
        where = f"cloudformation/home?region={region}#/stacks/stackinfo?stackId="
        return _console(snapshot.place, where + quote(selection, safe=""))
    if pane == "logs" and (log_group := _log_group(snapshot)):
        # CloudWatch's console wants the name quoted twice, with `$` for the second `%`.
        name = quote(quote(log_group, safe=""), safe="").replace("%", "$")
        where = f"cloudwatch/home?region={snapshot.place.region}#logsV2:log-groups/log-group/"
        return _console(snapshot.place, where + name)
    return site


def _log_group(snapshot: Snapshot) -> str:
    known = snapshot.tasks.value.definitions.values() if snapshot.tasks.value else ()
    logs = (container.log for definition in known for container in definition.containers)
    return next((log.group for log in logs if log and log.group), "")


def _task(place: Place, ref: ServiceRef, arn: str) -> str:
    cluster, service = quote(ref.cluster, safe=""), quote(ref.name, safe="")
    task = quote(arn.rpartition("/")[2], safe="")
    path = f"ecs/v2/clusters/{cluster}/services/{service}/tasks/{task}/configuration"
    return _console(place, f"{path}?region={place.region}")


def _console(place: Place, path: str) -> str:
    hosts = (host for prefix, host in _CONSOLES.items() if place.region.startswith(prefix))
    host = next(hosts, "console.aws.amazon.com")
    return f"https://{place.region}.{host}/{path}"

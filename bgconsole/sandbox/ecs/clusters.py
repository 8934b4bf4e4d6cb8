"""Operations on clusters, and on the tags of anything."""

from __future__ import annotations

from ..api import ApiError, Request, Response
from ..names import Names
from ..paging import page
from . import render
from .state import Cluster, EcsState


class ClusterOperations:
    """CreateCluster to DeleteCluster, TagResource and its kin."""

    def __init__(self, state: EcsState, names: Names) -> None:
        self._state = state
        self._names = names

    def create_cluster(self, request: Request) -> Response:
        """Make a cluster; one that exists is answered as it is."""
        name = request.get("clusterName", "default")
        known = self._state.clusters.get(name)
        if known is None or known.status != "ACTIVE":
            settings = {
                "settings": request.get("settings")
                or [{"name": "containerInsights", "value": "disabled"}],
                "capacityProviders": request.get("capacityProviders", []),
                "defaultCapacityProviderStrategy": request.get(
                    "defaultCapacityProviderStrategy", []
                ),
            }
            tags = render.tag_dict(request.get("tags"))
            known = Cluster(self._names.ecs(f"cluster/{name}"), name, settings, tags)
            self._state.clusters[name] = known
        return {"cluster": render.cluster(known, tags=True, settings=True)}

    def describe_clusters(self, request: Request) -> Response:
        """The clusters asked for (`default` when none is); unknown ones are failures."""
        include = request.get("include") or []
        found, failures = [], []
        for reference in request.get("clusters") or ["default"]:
            name = reference.rpartition("/")[2]
            known = self._state.clusters.get(name)
            if known is None:
                arn = self._names.ecs(f"cluster/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(
                    render.cluster(known, tags="TAGS" in include, settings="SETTINGS" in include)
                )
        return {"clusters": found, "failures": failures}

    def list_clusters(self, request: Request) -> Response:
        """The ARNs of active clusters."""
        arns = sorted(c.arn for c in self._state.clusters.values() if c.status == "ACTIVE")
        shown, following = page(
            arns,
            token=request.get("nextToken"),
            size=request.get("maxResults", 100),
            error="InvalidParameterException",
        )
        return {"clusterArns": shown, "nextToken": following}

    def delete_cluster(self, request: Request) -> Response:
        """Delete a cluster without services; it is INACTIVE then."""
        known = self._state.cluster(request["cluster"])
        if any(service.status != "INACTIVE" for service in known.services.values()):
            raise ApiError(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            )
        if any(task.last_status != "STOPPED" for task in known.all_tasks()):
            raise ApiError(
                "ClusterContainsTasksException",
                "The Cluster cannot be deleted while Tasks are active.",
            )
        known.status = "INACTIVE"
        return {"cluster": render.cluster(known, tags=True, settings=True)}

    def update_cluster(self, request: Request) -> Response:
        """Change a cluster's settings by name; what else it could have is not kept here."""
        known = self._state.cluster(request["cluster"])
        for member in ("configuration", "serviceConnectDefaults"):
            if request.get(member):
                raise ApiError(
                    "InvalidParameterException",
                    f"The sandbox does not reproduce {member} of a cluster.",
                )
        given = {setting["name"]: setting for setting in request.get("settings") or ()}
        kept = {setting["name"]: setting for setting in known.settings["settings"]}
        known.settings["settings"] = list((kept | given).values())
        return {"cluster": render.cluster(known, tags=True, settings=True)}

    def put_cluster_capacity_providers(self, request: Request) -> Response:
        """Name the capacity providers of a cluster; tasks run without any here."""
        known = self._state.cluster(request["cluster"])
        for member in ("capacityProviders", "defaultCapacityProviderStrategy"):
            known.settings[member] = list(request[member])
        return {"cluster": render.cluster(known, tags=True, settings=True)}

    def list_tags_for_resource(self, request: Request) -> Response:
        """The tags of a cluster, service, task or task definition."""
        return {"tags": render.tag_list(self._tags(request["resourceArn"]))}

    def tag_resource(self, request: Request) -> Response:
        """Set tags."""
        self._tags(request["resourceArn"]).update(render.tag_dict(request["tags"]))
        return {}

    def untag_resource(self, request: Request) -> Response:
        """Remove tags by key."""
        tags = self._tags(request["resourceArn"])
        for key in request["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _tags(self, arn: str) -> dict[str, str]:
        kind, _, path = arn.rpartition(":")[2].partition("/")
        if ":task-definition/" in arn:
            return self._state.task_definition(arn).tags
        if kind == "cluster":
            return self._state.cluster(arn).tags
        if kind == "service":
            cluster, _, name = path.partition("/")
            return self._state.service(self._state.cluster(cluster), name).tags
        raise ApiError(
            "InvalidParameterException",
            f"The sandbox keeps no tags of its own for {arn}",
        )

"""Operations on load balancers and on tags."""

from __future__ import annotations

from ..api import ApiError, Request, Response
from ..clock import Clock
from ..names import Names
from ..paging import page
from .state import Elbv2State, LoadBalancer, tag_dict

ATTRIBUTES = {
    "deletion_protection.enabled": "false",
    "access_logs.s3.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "routing.http2.enabled": "true",
}
"""Attributes of a new load balancer with AWS's defaults."""

_ZONE_LETTERS = "abcdef"


class LoadBalancerOperations:
    """CreateLoadBalancer to DeleteLoadBalancer, attributes, tags."""

    def __init__(self, state: Elbv2State, names: Names, clock: Clock) -> None:
        self._state = state
        self._names = names
        self._clock = clock

    def create_load_balancer(self, request: Request) -> Response:
        """Make a load balancer; a second one of the same name is refused."""
        name = request["Name"]
        if len(name) > 32:
            raise ApiError(
                "ValidationError",
                f"Load balancer name '{name}' cannot be longer than '32' characters",
            )
        if any(known.name == name for known in self._state.load_balancers.values()):
            raise ApiError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
        kind = request.get("Type", "application")
        prefix = {"application": "app", "network": "net", "gateway": "gwy"}[kind]
        arn = self._names.elb(f"loadbalancer/{prefix}/{name}/{self._names.hex(16)}")
        mapped = [m["SubnetId"] for m in request.get("SubnetMappings") or []]
        balancer = LoadBalancer(
            arn,
            name,
            kind,
            self._clock.now(),
            {
                "Scheme": request.get("Scheme", "internet-facing"),
                "IpAddressType": request.get("IpAddressType", "ipv4"),
                "SecurityGroups": list(request.get("SecurityGroups") or []),
                "Subnets": list(request.get("Subnets") or mapped),
            },
            dict(ATTRIBUTES),
            tag_dict(request.get("Tags")),
        )
        self._state.load_balancers[arn] = balancer
        return {"LoadBalancers": [self._shown(balancer)]}

    def describe_load_balancers(self, request: Request) -> Response:
        """All load balancers, or those named."""
        found = list(self._state.load_balancers.values())
        if arns := request.get("LoadBalancerArns"):
            found = [self._state.load_balancer(arn) for arn in arns]
        elif names := request.get("Names"):
            by_name = {balancer.name: balancer for balancer in found}
            if missing := [name for name in names if name not in by_name]:
                raise ApiError("LoadBalancerNotFound", f"Load balancers '{missing}' not found")
            found = [by_name[name] for name in names]
        shown, following = page(
            found,
            token=request.get("Marker"),
            size=request.get("PageSize", 400),
            error="ValidationError",
        )
        return {"LoadBalancers": [self._shown(b) for b in shown], "NextMarker": following}

    def delete_load_balancer(self, request: Request) -> Response:
        """Forget a load balancer; the caller closes its listeners first."""
        self._state.load_balancers.pop(request["LoadBalancerArn"], None)
        return {}

    def describe_load_balancer_attributes(self, request: Request) -> Response:
        """The attributes as Key/Value pairs."""
        return _attributes(self._state.load_balancer(request["LoadBalancerArn"]))

    def modify_load_balancer_attributes(self, request: Request) -> Response:
        """Set attributes; they are kept, and change nothing here."""
        balancer = self._state.load_balancer(request["LoadBalancerArn"])
        for attribute in request["Attributes"]:
            balancer.attributes[attribute["Key"]] = attribute.get("Value", "")
        return _attributes(balancer)

    def set_subnets(self, request: Request) -> Response:
        """Put a load balancer into other subnets; here that only changes what is shown."""
        balancer = self._state.load_balancer(request["LoadBalancerArn"])
        mapped = [m["SubnetId"] for m in request.get("SubnetMappings") or []]
        subnets = list(request.get("Subnets") or mapped)
        if balancer.kind == "application" and len(set(subnets)) < 2:
            raise ApiError(
                "ValidationError",
                "At least two subnets in two different Availability Zones must be specified",
            )
        if not subnets:
            raise ApiError("ValidationError", "You must specify subnets or subnet mappings")
        balancer.settings["Subnets"] = subnets
        if address_type := request.get("IpAddressType"):
            balancer.settings["IpAddressType"] = address_type
        shown = self._shown(balancer)
        return {key: shown[key] for key in ("AvailabilityZones", "IpAddressType")}

    def set_security_groups(self, request: Request) -> Response:
        """Give a load balancer other security groups; here that only changes what is shown."""
        balancer = self._state.load_balancer(request["LoadBalancerArn"])
        balancer.settings["SecurityGroups"] = list(request["SecurityGroups"])
        return {"SecurityGroupIds": balancer.settings["SecurityGroups"]}

    def set_ip_address_type(self, request: Request) -> Response:
        """Change the address type that is shown; the listeners stay on loopback."""
        balancer = self._state.load_balancer(request["LoadBalancerArn"])
        balancer.settings["IpAddressType"] = request["IpAddressType"]
        return {"IpAddressType": balancer.settings["IpAddressType"]}

    def add_tags(self, request: Request) -> Response:
        """Set tags on any number of resources."""
        for arn in request["ResourceArns"]:
            self._state.tags_of(arn).update(tag_dict(request["Tags"]))
        return {}

    def remove_tags(self, request: Request) -> Response:
        """Remove tags by key."""
        for arn in request["ResourceArns"]:
            tags = self._state.tags_of(arn)
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}

    def describe_tags(self, request: Request) -> Response:
        """The tags of the resources asked for."""
        return {
            "TagDescriptions": [
                {
                    "ResourceArn": arn,
                    "Tags": [
                        {"Key": key, "Value": value}
                        for key, value in self._state.tags_of(arn).items()
                    ],
                }
                for arn in request["ResourceArns"]
            ]
        }

    def _shown(self, balancer: LoadBalancer) -> Response:
        settings = balancer.settings
        return {
            "LoadBalancerArn": balancer.arn,
            "DNSName": "localhost",
            "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
            "CreatedTime": balancer.created_at,
            "LoadBalancerName": balancer.name,
            "Scheme": settings["Scheme"],
            "VpcId": settings.get("VpcId"),
            "State": {"Code": "active"},
            "Type": balancer.kind,
            "AvailabilityZones": [
                {"ZoneName": f"{self._names.region}{letter}", "SubnetId": subnet}
                for letter, subnet in zip(_ZONE_LETTERS, settings["Subnets"], strict=False)
            ],
            "SecurityGroups": settings["SecurityGroups"],
            "IpAddressType": settings["IpAddressType"],
        }


def _attributes(balancer: LoadBalancer) -> Response:
    pairs = [{"Key": key, "Value": value} for key, value in balancer.attributes.items()]
    return {"Attributes": pairs}

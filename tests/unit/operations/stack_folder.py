"""A folder of small templates in which one stack feeds another, as the product's do."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "database.yml": """
Description: The database (stack demodb).
Parameters:
  Size: {Type: Number, Default: 1}
  Password: {Type: String, NoEcho: true, Default: unset}
Resources:
  Database: {Type: "AWS::RDS::DBInstance", DeletionPolicy: Snapshot}
Outputs:
  Url: {Value: !GetAtt Database.Endpoint.Address}
""",
    "cluster.yml": """
Description: The cluster (stack democluster).
Parameters:
  DatabaseUrl: {Type: String}
  Count: {Type: Number, Default: 2}
Resources:
  Balancer: {Type: "AWS::ElasticLoadBalancingV2::LoadBalancer"}
  Service: {Type: "AWS::ECS::Service"}
Outputs:
  LoadBalancerUrl: {Value: !Sub "http://${Balancer.DNSName}"}
""",
    "extra.yml": """
Description: Something besides (stack demoextra).
Parameters:
  LoadBalancerUrl: {Type: String}
Resources:
  Alarm: {Type: "AWS::CloudWatch::Alarm"}
""",
    "main.yml": """
Description: All of it (stack demo).
Resources:
  Cluster:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: cluster.yml
      Parameters: {DatabaseUrl: !GetAtt Database.Outputs.Url}
  Database:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: database.yml}
""",
}


def written(folder: Path) -> Path:
    """Write them."""
    folder.mkdir(exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder

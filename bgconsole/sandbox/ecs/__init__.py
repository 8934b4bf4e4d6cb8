"""Amazon ECS of the sandbox: clusters, task definitions, services, rolling deployments, tasks."""

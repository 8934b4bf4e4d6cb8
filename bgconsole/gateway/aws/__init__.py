"""AWS behind the ports: one module a port, over botocore."""

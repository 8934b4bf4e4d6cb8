"""Elastic Load Balancing v2 of the sandbox: load balancers, rules, target groups, real target health."""

"""Elastic Load Balancing v2 of the sandbox: listeners, rules, groups, real target health."""

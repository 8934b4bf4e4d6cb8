"""A Docker Engine for machines without one: a part of its API, whose images run in the sandbox."""

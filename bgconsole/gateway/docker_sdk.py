"""What is used of Docker's SDK and of requests below it: loaded late, and from here alone.

Their modules import each other in a circle: two threads that load it from different ends meet
halfway, and one of them fails.
"""

from __future__ import annotations

from docker import APIClient
from docker.context import ContextAPI
from docker.credentials.errors import StoreError
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from docker.utils.build import exclude_paths
from requests.exceptions import RequestException

__all__ = [
    "APIClient",
    "APIError",
    "ContextAPI",
    "DockerException",
    "RequestException",
    "StoreError",
    "exclude_paths",
    "kwargs_from_env",
]

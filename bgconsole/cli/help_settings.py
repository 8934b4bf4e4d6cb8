"""How every help page looks, whichever group of commands it belongs to."""

from __future__ import annotations

from typing import Any

HELP_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

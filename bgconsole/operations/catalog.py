"""Every operation there is, in the order of the footer. Adding one is adding one line here.

One is loaded when it is first asked for: a sub-command does one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgconsole.late import Late, of_module

if TYPE_CHECKING:
    from bgconsole.operations.spec import Operation

OPERATIONS: Late[Operation] = Late(
    {
        operation: of_module(f"bgconsole.operations.{module}", name)
        for operation, module, name in (
            ("image.build", "build", "BUILD"),
            ("service.migrate", "migrate", "MIGRATE"),
            ("service.deploy", "deploy", "DEPLOY"),
            ("service.force-redeploy", "force_redeploy", "FORCE_REDEPLOY"),
            ("service.rollback", "rollback", "ROLLBACK"),
            ("service.approve", "approve", "APPROVE"),
            ("service.stop", "stop", "STOP"),
            ("service.stop-task", "stop_task", "STOP_TASK"),
            ("service.scale", "scale", "SCALE"),
            ("stacks.up", "up", "UP"),
            ("stacks.down", "down", "DOWN"),
            ("stacks.cancel-update", "stack_back", "CANCEL_UPDATE"),
            ("stacks.continue-rollback", "stack_back", "CONTINUE_ROLLBACK"),
        )
    }
)
"""By id."""

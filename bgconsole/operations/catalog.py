"""Every operation there is, in the order of the footer. Adding one is adding one value here."""

from __future__ import annotations

from bgconsole.operations.approve import APPROVE
from bgconsole.operations.build import BUILD
from bgconsole.operations.deploy import DEPLOY
from bgconsole.operations.down import DOWN
from bgconsole.operations.force_redeploy import FORCE_REDEPLOY
from bgconsole.operations.migrate import MIGRATE
from bgconsole.operations.rollback import ROLLBACK
from bgconsole.operations.scale import SCALE
from bgconsole.operations.spec import Registry
from bgconsole.operations.stack_back import CANCEL_UPDATE, CONTINUE_ROLLBACK
from bgconsole.operations.stop import STOP
from bgconsole.operations.stop_task import STOP_TASK
from bgconsole.operations.up import UP

OPERATIONS = Registry(
    (
        BUILD,
        MIGRATE,
        DEPLOY,
        FORCE_REDEPLOY,
        ROLLBACK,
        APPROVE,
        STOP,
        STOP_TASK,
        SCALE,
        UP,
        DOWN,
        CANCEL_UPDATE,
        CONTINUE_ROLLBACK,
    )
)

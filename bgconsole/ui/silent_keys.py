"""A key that does nothing where it is pressed says why, so that nobody is left to wonder."""

from __future__ import annotations

from textual.app import App

from bgconsole.operations.catalog import OPERATIONS
from bgconsole.ui.keys import keys_of
from bgconsole.ui.marking import Marking
from bgconsole.ui.offers import Offers
from bgconsole.ui.operating import Operating
from bgconsole.ui.screens.dialog import Dialog
from bgconsole.ui.screens.service import OF_THE_LOGS, ServiceScreen
from bgconsole.ui.screens.services import OF_A_SERVICE, ServicesScreen
from bgconsole.ui.session import Session
from bgconsole.ui.wiring import ConsoleResult, Wiring


class SilentKeys:
    """Hears every key that no binding took."""

    def __init__(
        self,
        app: App[ConsoleResult],
        wiring: Wiring,
        session: Session,
        operating: Operating,
        offers: Offers,
        marking: Marking,
    ) -> None:
        self._app = app
        self._wiring = wiring
        self._session = session
        self._operating = operating
        self._offers = offers
        self._marking = marking

    def heard(self, key: str, service: ServiceScreen | None) -> None:
        """Say what there is to say of a key; `service` is the screen of the one that is shown."""
        screen = self._app.screen
        if isinstance(screen, ServicesScreen):
            self._of_marked(key, screen)
            self._of_one_service(key)
        if service is None or isinstance(screen, Dialog):
            return
        self._read_only(key)
        if screen is service and service.pane is not service.logs:
            self._of_the_logs(key)
        self._not_now(key)

    def _not_now(self, key: str) -> None:
        for operation, no in self._offers.listed:
            if operation.id == "service.stop" and self._operating.sending:
                continue  # on the page of a run that is sent the same key stops that
            pressed = key in keys_of(self._wiring.keymap, operation)
            if pressed and not self._offers.may_press(operation.id):
                self._say(self._offers.why_not(no), operation.title)

    def _of_marked(self, key: str, screen: ServicesScreen) -> None:
        for operation in OPERATIONS.values() if screen.operable else ():
            pressed = operation.key and key in keys_of(self._wiring.keymap, operation)
            if pressed and not screen.check_action("operate_marked", (operation.id,)):
                self._marking.offer(operation.id, screen.pane.marked, screen)

    def _read_only(self, key: str) -> None:
        """No write key is bound then."""
        ref = self._session.ref
        why = self._wiring.why_read_only(ref) if ref is not None else ""
        for operation in OPERATIONS.values() if why else ():
            if key in keys_of(self._wiring.keymap, operation):
                self._say(why, operation.title)

    def _of_the_logs(self, key: str) -> None:
        there = self._wiring.keymap["pane.logs"].shown
        self._elsewhere(key, OF_THE_LOGS, f"This is done in the logs: {there} goes there.")

    def _of_one_service(self, key: str) -> None:
        """A key means the same on every screen; what it is about must be open, though."""
        self._elsewhere(key, OF_A_SERVICE, "This looks at one service: open it with enter.")

    def _elsewhere(self, key: str, names: tuple[str, ...], words: str) -> None:
        for name in names:
            if key in self._wiring.keymap[name].keys:
                self._say(words, self._wiring.keymap[name].words)

    def _say(self, words: str, title: str) -> None:
        self._app.notify(words, title=title, severity="warning", markup=False)

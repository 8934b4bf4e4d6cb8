"""`python -m bgconsole` is `bgconsole`."""

from bgconsole.main import main

main()

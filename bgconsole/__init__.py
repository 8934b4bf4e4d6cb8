"""bgconsole: the terminal console for blue/green deploys on Amazon ECS."""

__version__ = "0.1.0"

"""The only place that knows AWS or Docker."""

"""What keeps the picture current: schedule, pollers, the log tail, and following to an end."""

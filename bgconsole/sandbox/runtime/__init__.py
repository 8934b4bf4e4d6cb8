"""What runs the containers of a task: local processes, or nothing but a story in tests."""

"""The exit codes of the command line that are no error's own; an error's are in `errors`."""

EXIT_FAILED = 1
"""The operation or the deployment came to its end, and not well."""
EXIT_GAVE_UP = 5
"""The wait was as long as asked; AWS goes on."""
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141
"""128 + SIGPIPE: as a shell tells of a reader that went away."""

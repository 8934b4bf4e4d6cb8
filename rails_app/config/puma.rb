# Read by `rails server`; see https://puma.io/puma/Puma/DSL.html.

threads_count = ENV.fetch("RAILS_MAX_THREADS", 3)
threads threads_count, threads_count

port ENV.fetch("PORT", 3000)

# SIGTERM: take what is queued, finish what is being answered, exit 0. What is not done by then is
# given up, before ECS sends SIGKILL (StopTimeout, 30 s in the template).
drain_on_shutdown
force_shutdown_after ENV.fetch("SHUTDOWN_SECONDS", 25).to_i
raise_exception_on_sigterm false

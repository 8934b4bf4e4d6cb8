# See the Gemfile: only there where it was asked for.
if defined?(StrongMigrations)
  StrongMigrations.lock_timeout = 5.seconds
  StrongMigrations.statement_timeout = 1.hour
end

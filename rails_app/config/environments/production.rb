require "active_support/core_ext/integer/time"
require_relative "../../lib/quiet_health_check"

Rails.application.configure do
  config.enable_reloading = false
  config.eager_load = true
  config.consider_all_requests_local = false

  # The load balancer speaks TLS, and asks /up without it: a redirect there fails every health check.
  tls = ENV["FORCE_SSL"] == "1"
  config.assume_ssl = tls
  config.force_ssl = tls
  config.ssl_options = { redirect: { exclude: ->(request) { request.path == "/up" } } }

  # One stream for the log driver; each line begins with the id of its request.
  $stdout.sync = true
  config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stdout))
  config.log_tags = [ :request_id ]
  config.log_level = ENV.fetch("RAILS_LOG_LEVEL", "info")

  config.middleware.insert_before Rails::Rack::Logger, QuietHealthCheck

  config.active_support.report_deprecations = false

  # A container's copy of db/schema.rb is of no use to anybody.
  config.active_record.dump_schema_after_migration = false
  config.active_record.attributes_for_inspect = [ :id ]

  # Names of assets change with their content.
  config.public_file_server.headers = { "cache-control" => "public, max-age=#{1.year.to_i}" }
end

require_relative "boot"

require "rails"
require "active_model/railtie"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "rails/test_unit/railtie"

Bundler.require(*Rails.groups)

module Websvc
  class Application < Rails::Application
    config.load_defaults 7.2

    # Every answer says which version gave it: what a probe looks at while traffic moves.
    config.x.revision = ENV.fetch("REVISION", "unknown")
    config.action_dispatch.default_headers["X-Revision"] = config.x.revision
  end
end

require "test_helper"
require_relative "../../lib/quiet_health_check"

class QuietHealthCheckTest < ActiveSupport::TestCase
  test "only health checks are kept out of the log" do
    assert_equal [ "GET /posts" ], logged { |app| [ "/up", "/posts" ].each { |path| ask(app, path) } }
  end

  private
    def ask(app, path)
      app.call("PATH_INFO" => path)
    end

    def logged
      before = Rails.logger
      output = StringIO.new
      Rails.logger = ActiveSupport::Logger.new(output)
      yield QuietHealthCheck.new(->(env) { Rails.logger.info("GET #{env["PATH_INFO"]}") })
      output.string.lines(chomp: true)
    ensure
      Rails.logger = before
    end
end

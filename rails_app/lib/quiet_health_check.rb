# Keeps the load balancer's health checks out of the log. Rails 8 has a setting for it, 7.2 has not.
class QuietHealthCheck
  PATH = "/up"

  def initialize(app)
    @app = app
  end

  def call(env)
    return @app.call(env) unless env["PATH_INFO"] == PATH

    Rails.logger.silence { @app.call(env) }
  end
end

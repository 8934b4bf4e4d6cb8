require "net/http"

# What runs here: which commit, which image, which task.
module Release
  class << self
    # The commit that the image was built from.
    def revision
      Rails.configuration.x.revision
    end

    # The digest of the image as the registry knows it; nil where nobody says so.
    def digest
      ENV["IMAGE_DIGEST"].presence || metadata["ImageID"]
    end

    # The id of the ECS task; nil outside of ECS.
    def task
      ENV["TASK_ID"].presence || metadata.dig("Labels", "com.amazonaws.ecs.task-arn")&.split("/")&.last
    end

    # Ask again.
    def forget
      @metadata = nil
    end

    private
      # What the agent of ECS tells of this container, asked once.
      def metadata
        @metadata ||= fetch(ENV["ECS_CONTAINER_METADATA_URI_V4"])
      end

      def fetch(uri)
        return {} if uri.blank?

        address = URI(uri)
        Net::HTTP.start(address.host, address.port, open_timeout: 1, read_timeout: 1) do |http|
          JSON.parse(http.get(address.path).body)
        end
      rescue SystemCallError, IOError, Timeout::Error, JSON::ParserError => error
        Rails.logger.warn("The task's metadata cannot be read: #{error.message}")
        {}
      end
  end
end

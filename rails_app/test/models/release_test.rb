require "test_helper"

class ReleaseTest < ActiveSupport::TestCase
  DIGEST = "sha256:#{"ab" * 32}"
  ARN = "arn:aws:ecs:eu-west-1:123456789012:task/websvc/0123456789abcdef"

  setup { Release.forget }
  teardown { Release.forget }

  test "the environment's word goes first" do
    with_environment("IMAGE_DIGEST" => DIGEST, "TASK_ID" => "0123") do
      assert_equal [ DIGEST, "0123" ], [ Release.digest, Release.task ]
    end
  end

  test "on ECS the metadata of the container says digest and task" do
    answer = { "ImageID" => DIGEST, "Labels" => { "com.amazonaws.ecs.task-arn" => ARN } }
    metadata_server(answer.to_json) do |uri|
      with_environment("ECS_CONTAINER_METADATA_URI_V4" => uri) do
        assert_equal [ DIGEST, "0123456789abcdef" ], [ Release.digest, Release.task ]
      end
    end
  end

  test "metadata that cannot be read are no reason to fail" do
    with_environment("ECS_CONTAINER_METADATA_URI_V4" => "http://127.0.0.1:1/v4/abc") do
      assert_nil Release.digest
      assert_nil Release.task
    end
  end

  private
    def metadata_server(body)
      server = TCPServer.new("127.0.0.1", 0)
      answering = Thread.new do
        client = server.accept
        client.readpartial(4096)
        client.write("HTTP/1.1 200 OK\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}")
        client.close
      end
      yield "http://127.0.0.1:#{server.addr[1]}/v4/abc"
    ensure
      answering.join(5)
      server.close
    end

    def with_environment(values)
      before = values.keys.to_h { |name| [ name, ENV[name] ] }
      ENV.update(values)
      yield
    ensure
      ENV.update(before)
    end
end

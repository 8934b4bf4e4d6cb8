require "test_helper"

class VersionControllerTest < ActionDispatch::IntegrationTest
  test "says which version answers, and is never kept" do
    get version_url

    assert_response :success
    assert_equal %w[ revision digest task ], response.parsed_body.keys
    assert_equal Release.revision, response.parsed_body["revision"]
    assert_equal "no-store", response.headers["cache-control"]
  end

  test "every answer names the revision" do
    [ version_url, posts_url, rails_health_check_url ].each do |url|
      get url

      assert_response :success
      assert_equal Release.revision, response.headers["x-revision"]
    end
  end
end

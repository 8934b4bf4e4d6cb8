require "test_helper"

class PostTest < ActiveSupport::TestCase
  test "a post with a title is saved" do
    assert Post.new(title: "Blue/Green Rails", content: "Two versions beside each other.").save
  end

  test "a post without a title is not" do
    post = Post.new(content: "Two versions beside each other.")

    assert_not post.save
    assert_includes post.errors[:title], "can't be blank"
  end
end

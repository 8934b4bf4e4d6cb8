require "test_helper"

class PostsControllerTest < ActionDispatch::IntegrationTest
  setup do
    @post = posts(:one)
  end

  test "should get index" do
    get posts_url
    assert_response :success
    assert_select "h1", 1
    assert_select "#posts strong", text: "Title:", count: Post.count
  end

  test "should be the front page" do
    get root_url
    assert_response :success
    assert_select "#posts"
  end

  test "should get new" do
    get new_post_url
    assert_response :success
  end

  test "should create post" do
    assert_difference("Post.count") do
      post posts_url, params: { post: { content: @post.content, title: @post.title } }
    end

    assert_redirected_to post_url(Post.last)
  end

  test "should say why a post is not created" do
    assert_no_difference("Post.count") do
      post posts_url, params: { post: { content: @post.content, title: "" } }
    end

    assert_response 422
    assert_select "li", "Title can't be blank"
  end

  test "should show post" do
    get post_url(@post)
    assert_response :success
  end

  test "should get edit" do
    get edit_post_url(@post)
    assert_response :success
  end

  test "should update post" do
    patch post_url(@post), params: { post: { content: @post.content, title: "MEOW" } }
    assert_redirected_to post_url(@post)
    assert_equal "MEOW", @post.reload.title
  end

  test "should destroy post" do
    assert_difference("Post.count", -1) do
      delete post_url(@post)
    end

    assert_redirected_to posts_url
  end
end

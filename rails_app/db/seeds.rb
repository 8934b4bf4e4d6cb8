[ "Blue/Green Rails", "Turn-key ECS with CloudFormation" ].each do |title|
  Post.find_or_create_by!(title: title) { |post| post.content = "A post of the talk." }
end

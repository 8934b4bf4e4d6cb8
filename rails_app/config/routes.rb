Rails.application.routes.draw do
  resources :posts
  root "posts#index"

  # 200 once the app has booted. It does not ask the database: a database that is gone must not make
  # the load balancer take every task out.
  get "up" => "rails/health#show", as: :rails_health_check

  get "version" => "version#show"
end

class VersionController < ApplicationController
  # GET /version
  def show
    no_store
    render json: { revision: Release.revision, digest: Release.digest, task: Release.task }
  end
end

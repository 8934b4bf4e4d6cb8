"""The data plane of CloudWatch Logs: streams and their events; log groups are the engine's."""

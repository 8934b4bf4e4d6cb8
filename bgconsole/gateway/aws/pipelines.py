"""CodePipeline, read: the last execution of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.pipelines import PipelineRun
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc


@dataclass(frozen=True, slots=True)
class AwsPipelines:
    """The `Pipelines` port."""

    clients: Clients

    def last(self, pipeline: str) -> PipelineRun:
        """ListPipelineExecutions of the newest; of one that ran, GetPipelineState."""
        words = f"pipeline {pipeline}"
        with self.clients.reading("codepipeline:ListPipelineExecutions", words):
            answer = self.clients.client("codepipeline").list_pipeline_executions(
                pipelineName=pipeline, maxResults=1
            )
        newest: Mapping[str, Any] | None = next(
            iter(answer.get("pipelineExecutionSummaries", ())), None
        )
        if newest is None:
            return PipelineRun(pipeline)
        source: Mapping[str, Any] = next(iter(newest.get("sourceRevisions", ())), {})
        trigger: Mapping[str, Any] = newest.get("trigger") or {}
        stage, problem = self._stage(pipeline, str(newest.get("pipelineExecutionId", "")))
        return PipelineRun(
            pipeline,
            status=str(newest.get("status", "")),
            started_at=utc(newest.get("startTime")),
            commit=str(source.get("revisionId", "")),
            summary=str(source.get("revisionSummary", "")),
            trigger=str(trigger.get("triggerDetail") or trigger.get("triggerType", "")),
            stage=stage,
            problem=problem,
        )

    def _stage(self, pipeline: str, execution: str) -> tuple[str, str]:
        """The last stage that this execution reached, and what failed in it."""
        with self.clients.reading("codepipeline:GetPipelineState", f"pipeline {pipeline}"):
            answer = self.clients.client("codepipeline").get_pipeline_state(name=pipeline)
        reached: Mapping[str, Any] = {}
        for stage in answer.get("stageStates", ()):
            if (stage.get("latestExecution") or {}).get("pipelineExecutionId") == execution:
                reached = stage
        return str(reached.get("stageName", "")), next(_problems(reached), "")


def _problems(stage: Mapping[str, Any]) -> Iterator[str]:
    for action in stage.get("actionStates", ()):
        told = action.get("latestExecution") or {}
        if told.get("status") == "Failed":
            yield str((told.get("errorDetails") or {}).get("message") or told.get("summary", ""))

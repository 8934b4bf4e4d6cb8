"""Bringing stacks up: the plan, the drafts, the run, what is refused, and what goes wrong."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import AccessDenied, Throttled, Unreachable
from bgconsole.domain.stacks import Stack, StackEvent
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.gateway.scripted_stack_changes import settle
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import No, Proposal, Risk
from bgconsole.watch.once import read_account
from tests.unit.operations.conftest import Desk, MakeDesk
from tests.unit.operations.stack_folder import written

UP = OPERATIONS["stacks.up"]
URL = "http://site.example"
ADD = Change("add", "Something", "AWS::SNS::Topic")


@dataclass
class Crew:
    """Somebody who brings stacks up from a folder of templates."""

    desk: Desk
    folder: Path

    @property
    def world(self) -> ScriptedWorld:
        return self.desk.world

    def asked(self, *items: str, **params: str) -> Proposal | No:
        runner = self.desk.runner
        snapshot = read_account(self.desk.gateway, lambda: self.world.now)
        given = {"templates": str(self.folder), "items": "\n".join(items), **params}
        first = runner.propose(UP, snapshot, given)
        return first if isinstance(first, No) else runner.gather(first)

    def planned(self, *items: str, **params: str) -> Proposal:
        proposal = self.asked(*items, **params)
        assert isinstance(proposal, Proposal), proposal
        return proposal

    def refused(self, *items: str, **params: str) -> No:
        no = self.asked(*items, **params)
        assert isinstance(no, No), no
        return no

    def stack(self, name: str, status: str, **more: object) -> None:
        arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1"
        made = Stack(name, arn, status, created_at=self.world.now)
        self.world.stacks[name] = replace(made, **more)  # type: ignore[arg-type]

    def writes(self) -> list[tuple[str, object]]:
        return [(w.name.rpartition(".")[2], w.arguments["stack"]) for w in self.world.writes]


@pytest.fixture
def crew(desk: MakeDesk, tmp_path: Path) -> Crew:
    world = ScriptedWorld()
    world.drafts = {"demodb": (ADD,), "democluster": (ADD,)}
    world.outputs = {
        "demodb": (("Url", "the-url"),),
        "democluster": (("LoadBalancerUrl", URL),),
    }
    return Crew(desk(world), written(tmp_path / "cfn"))


def both_there(crew: Crew) -> None:
    crew.world.drafts.clear()
    crew.stack("demodb", "CREATE_COMPLETE", outputs=(("Url", "the-url"),))
    given = (("DatabaseUrl", "the-url"), ("Count", "2"))
    crew.stack(
        "democluster", "CREATE_COMPLETE", parameters=given, outputs=(("LoadBalancerUrl", URL),)
    )


def test_from_nothing_to_the_site(crew: Crew) -> None:
    proposal = crew.planned()
    assert proposal.plan.summary == "Bring up demodb, democluster"
    facts = {fact.label: fact.value for fact in proposal.plan.facts}
    assert facts["demodb"] == "create: 1 resource"
    assert facts["democluster"] == "create: up to 2 resources"
    assert any("load balancer" in note for note in proposal.plan.notes)
    assert proposal.risk is Risk.DISRUPTIVE
    outcome = crew.desk.run(proposal)
    assert outcome.exit_code == 0
    assert URL in outcome.sentence
    assert crew.world.stacks["democluster"].status == "CREATE_COMPLETE"
    assert dict(crew.world.stacks["democluster"].parameters) == {"DatabaseUrl": "the-url"}
    assert crew.writes().count(("execute", "demodb")) == 1
    assert crew.world.change_sets == {}


def test_again_there_is_nothing_to_do_and_no_draft_is_left(crew: Crew) -> None:
    both_there(crew)
    proposal = crew.planned()
    assert proposal.plan.steps == ()
    assert proposal.plan.summary.startswith("Nothing to do")
    crew.desk.runner.discard(proposal)
    assert crew.world.change_sets == {}
    assert not any(name == "execute" for name, _ in crew.writes())


def test_a_draft_of_somebody_else_is_left_alone(crew: Crew) -> None:
    both_there(crew)
    gateway = scripted_gateway(crew.world)
    crew.world.drafts = {"democluster": (ADD,)}
    gateway.stack_changes.draft(
        "democluster", "bgconsole-0123456789abcdef", template="{}", parameters={}, keep=(),
        create=False,
    )  # fmt: skip
    theirs = set(crew.world.change_sets)
    proposal = crew.planned()
    assert theirs < set(crew.world.change_sets)
    crew.desk.runner.discard(proposal)
    assert set(crew.world.change_sets) == theirs


def test_a_dry_run_leaves_neither_draft_nor_empty_stack(crew: Crew) -> None:
    proposal = crew.planned()
    assert crew.world.stacks["demodb"].status == "REVIEW_IN_PROGRESS"
    crew.desk.runner.discard(proposal)
    assert crew.world.stacks == {}
    assert crew.world.change_sets == {}
    assert crew.desk.events == ["drafted"]


def test_read_only_makes_no_draft(crew: Crew) -> None:
    crew.desk.settings["read_only"] = True
    assert "read-only" in crew.refused().reason
    assert crew.world.writes == []


def test_a_draft_is_made_once_and_used(crew: Crew) -> None:
    crew.desk.run(crew.planned("demodb"))
    assert [name for name, _ in crew.writes()][:2] == ["draft", "execute"]


def test_what_is_replaced_is_loud_and_asked_for_by_name(crew: Crew) -> None:
    both_there(crew)
    change = Change("replace", "Database", "AWS::RDS::DBInstance", what=("Engine",))
    crew.world.drafts["demodb"] = (change,)
    proposal = crew.planned("demodb")
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == "demodb"
    (loud,) = [fact for fact in proposal.plan.facts if fact.loud]
    assert loud.label == "  ± Database"
    assert loud.value == "REPLACE AWS::RDS::DBInstance (Engine)"


def test_a_new_task_definition_is_no_loss(crew: Crew) -> None:
    both_there(crew)
    crew.world.drafts["democluster"] = (Change("replace", "T", "AWS::ECS::TaskDefinition"),)
    proposal = crew.planned("democluster")
    assert proposal.risk is Risk.DISRUPTIVE
    assert any(fact.loud for fact in proposal.plan.facts)


def test_what_was_not_shown_is_not_lost(crew: Crew) -> None:
    """Its change could not be drafted before, and turns out to remove something: it stops there."""
    both_there(crew)
    crew.stack("democluster", "UPDATE_IN_PROGRESS", parameters=(("DatabaseUrl", "x"),))
    crew.world.drafts["democluster"] = (Change("remove", "Service", "AWS::ECS::Service"),)
    proposal = crew.planned("democluster")
    crew.desk.waits[:] = [lambda world: settle(world, "democluster", "UPDATE_COMPLETE")]
    outcome = crew.desk.run(proposal)
    assert outcome.exit_code == 3
    assert "REMOVE Service" in outcome.sentence
    assert not any(name == "execute" for name, _ in crew.writes())
    assert crew.world.change_sets == {}


def failed(world: ScriptedWorld, call: Call) -> None:
    name = str(call.arguments["stack"])
    reason = (
        "Resource handler returned message: \"Error occurred during operation 'ECS Deployment "
        "Circuit Breaker was triggered'.\" (RequestToken: 1, HandlerErrorCode: X)"
    )
    at = world.now + timedelta(seconds=1)
    event = StackEvent("e", at, "Service", "AWS::ECS::Service", "UPDATE_FAILED", name, reason)
    settle(world, name, "UPDATE_ROLLBACK_COMPLETE", event)


def test_a_failure_is_told_by_its_first_cause(crew: Crew) -> None:
    both_there(crew)
    crew.world.drafts["democluster"] = (ADD,)
    crew.world.effects["stack_changes.execute"] = failed
    outcome = crew.desk.run(crew.planned("democluster", "Count=3"))
    assert outcome.exit_code == 1
    assert outcome.sentence == (
        "democluster is UPDATE_ROLLBACK_COMPLETE: Service (AWS::ECS::Service): "
        "ECS Deployment Circuit Breaker was triggered."
    )


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_what_is_left_of_a_failed_creation_goes_first(crew: Crew, status: str) -> None:
    crew.stack("demodb", status)
    proposal = crew.planned("demodb")
    assert proposal.plan.steps[0].words.startswith("delete what is left of demodb")
    assert crew.desk.run(proposal).ok
    names = [name for name, _ in crew.writes()]
    assert names.index("delete") < names.index("draft") < names.index("execute")


def test_a_draft_of_somebody_else_does_not_keep_it_from_coming_up(crew: Crew) -> None:
    crew.stack("demodb", "REVIEW_IN_PROGRESS")
    assert crew.desk.run(crew.planned("demodb")).ok


def test_what_is_under_way_is_waited_for(crew: Crew) -> None:
    crew.world.drafts.clear()
    crew.stack("demodb", "CREATE_IN_PROGRESS")
    proposal = crew.planned("demodb")
    assert "wait until demodb" in proposal.plan.steps[0].words
    crew.desk.waits[:] = [lambda world: settle(world, "demodb", "CREATE_COMPLETE")]
    assert crew.desk.run(proposal).ok


def test_a_stack_that_is_stuck_is_refused_with_its_way_back(crew: Crew) -> None:
    crew.stack("demodb", "UPDATE_ROLLBACK_FAILED")
    assert "bgconsole continue-rollback demodb" in crew.refused("demodb").reason


def test_words_that_fit_nothing_are_refused(crew: Crew) -> None:
    assert "'nothing' is no stack" in crew.refused("nothing").reason
    assert "has a parameter Colour" in crew.refused("Colour=red").reason
    assert "DatabaseUrl (of demodb)" in crew.refused("democluster").reason
    assert crew.world.writes == []


def test_a_secret_is_taken_from_a_file_or_asked_for_but_never_from_the_words(crew: Crew) -> None:
    file = crew.folder / "database.yml"
    file.write_text(file.read_text().replace(", Default: unset", ""))
    assert "list of processes" in crew.refused("demodb", "Password=geheim").reason
    assert crew.refused("demodb").secrets == ("Password",)
    given = crew.folder / "secrets.json"
    given.write_text(json.dumps([{"ParameterKey": "Password", "ParameterValue": "geheim"}]))
    crew.desk.run(crew.planned("demodb", **{"parameter-file": str(given)}))
    crew.desk.run(crew.planned("demodb", **{"secret-Password": "geheim"}))
    assert dict(crew.world.stacks["demodb"].parameters)["Password"] == "geheim"
    assert "geheim" not in crew.desk.audit.path.read_text()


def test_a_parameter_keeps_its_value_unless_another_is_given(crew: Crew) -> None:
    both_there(crew)
    crew.world.drafts["democluster"] = (ADD,)
    crew.desk.run(crew.planned("democluster", "Count=3"))
    draft = next(w for w in crew.world.writes if w.name == "stack_changes.draft")
    assert draft.arguments["parameters"] == {"Count": "3", "DatabaseUrl": "the-url"}
    assert draft.arguments["keep"] == ()


@pytest.mark.parametrize(
    "told", [["team=web", "cost=7"], [{"Key": "team", "Value": "web"}, {"Key": "cost", "Value": 7}]]
)
def test_the_folder_s_tags_are_shown_and_given(crew: Crew, told: list[object]) -> None:
    file = crew.folder / "parameters" / "tags.json"
    file.parent.mkdir()
    file.write_text(json.dumps(told))
    proposal = crew.planned("demodb")
    assert proposal.plan.facts[0].label == "tags"
    assert proposal.plan.facts[0].value == "team=web, cost=7"
    crew.desk.run(proposal)
    draft = next(w for w in crew.world.writes if w.name == "stack_changes.draft")
    assert draft.arguments["tags"] == {"team": "web", "cost": "7"}
    # Another tag is another draft: the one that was shown with these is not taken for it.
    before = crew.planned("demodb").evidence
    file.write_text('["team=other"]')
    after = crew.planned("demodb").evidence
    assert before
    assert after
    assert before.drafts != after.drafts


@pytest.mark.parametrize("told", ["[1]", '["team"]', '[{"Key": "team"}]', '"team"', "{"])
def test_tags_of_no_known_form_are_refused(crew: Crew, told: str) -> None:
    file = crew.folder / "parameters" / "tags.json"
    file.parent.mkdir()
    file.write_text(told)
    assert "tags.json" in crew.refused("demodb").reason
    assert crew.world.writes == []


def test_a_draft_that_aws_refuses_is_said_and_left_nothing(crew: Crew) -> None:
    error = AccessDenied("AccessDenied", "needs cloudformation:CreateChangeSet")
    crew.world.fail("stack_changes.draft", error)
    assert "needs cloudformation:CreateChangeSet" in crew.refused("demodb").reason
    assert crew.world.stacks == {}


def test_a_stop_before_it_is_sent_changes_nothing(crew: Crew) -> None:
    cancelled = threading.Event()
    cancelled.set()
    outcome = crew.desk.run(crew.planned("demodb"), cancelled)
    assert outcome.exit_code == 130
    assert crew.world.stacks == {}


def test_a_lost_answer_is_looked_for_and_never_sent_again(crew: Crew) -> None:
    both_there(crew)
    crew.world.drafts["demodb"] = (ADD,)
    proposal = crew.planned("demodb")
    crew.world.fail("stack_changes.execute", Unreachable("No answer"))
    crew.desk.waits[:] = [lambda _: None]
    outcome = crew.desk.run(proposal)
    assert outcome.exit_code == 1
    assert crew.writes().count(("execute", "demodb")) == 1


def test_while_it_is_followed_throttling_only_slows_and_denial_leaves_it(crew: Crew) -> None:
    both_there(crew)
    crew.world.drafts["demodb"] = (ADD,)
    proposal = crew.planned("demodb")
    denied = AccessDenied("AccessDenied", "needs cloudformation:DescribeStackEvents")

    def begins(world: ScriptedWorld, call: Call) -> None:
        settle(world, "demodb", "UPDATE_IN_PROGRESS")
        world.fail("stacks.events", Throttled("Throttled"), times=1)

    def after(world: ScriptedWorld) -> None:
        world.fail("stacks.events", denied)

    crew.world.effects["stack_changes.execute"] = begins
    crew.desk.waits[:] = [lambda world: None, after]
    outcome = crew.desk.run(proposal)
    assert outcome.exit_code == 4
    assert "Submitted" in outcome.sentence
    assert any("Throttled" in told.text for told in crew.desk.told)

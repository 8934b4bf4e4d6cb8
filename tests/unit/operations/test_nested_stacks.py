"""Stacks that nest others: what is packaged, where it goes, what is shown, what goes again."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import yaml

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import AccessDenied, ConfigurationError, Unreachable
from bgconsole.domain.images import Image
from bgconsole.domain.stacks import STACK, StackResource
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.spec import Risk
from bgconsole.operations.stack_package import packaged
from bgconsole.operations.stack_templates import TemplateLoader, template_of
from tests.unit.operations.conftest import MakeDesk
from tests.unit.operations.stack_folder import written
from tests.unit.operations.test_stack_ways_back import DOWN, planned, refused, stack
from tests.unit.operations.test_up import Crew

ROOT = Path(__file__).parents[3]
NAME = "bgconsole-artifacts-123456789012-us-east-1"
BUCKET = Bucket(NAME, "123456789012")
WRITES = ("make", "put", "put", "draft", "execute")


@pytest.fixture
def crew(desk: MakeDesk, tmp_path: Path) -> Crew:
    world = ScriptedWorld()
    world.drafts = {"demo": (Change("add", "Cluster", STACK), Change("add", "Database", STACK))}
    return Crew(desk(world), written(tmp_path / "cfn"))


def facts(crew: Crew, *items: str, **params: str) -> dict[str, str]:
    return {fact.label: fact.value for fact in crew.planned(*items, **params).plan.facts}


def names(world: ScriptedWorld) -> list[str]:
    return [call.name.rpartition(".")[2] for call in world.writes]


def test_paths_become_addresses_by_content_and_nothing_else_is_touched() -> None:
    """The product's own: what the text says besides stays as it is, comments too."""
    template = template_of(ROOT / "cfn" / "main.yml")
    text, package = packaged(ROOT / "cfn", template, Held(BUCKET), "https://s3/{}/{}".format)
    whole = re.compile(r'TemplateURL: "https://s3/[^"]*/bgconsole/demo/[0-9a-f]{64}\.yml"')
    assert len(whole.findall(text.body)) == len(template.nested) == len(package.uploads)
    back = iter(template.nested.values())
    assert whole.sub(lambda _: f"TemplateURL: {next(back)}", text.body) == template.body
    for upload in package.uploads:
        assert upload.body == (ROOT / "cfn" / upload.file).read_text()
    assert "AWS::RDS::DBInstance" in package.kinds["Database"]
    assert "Database" in package.keeps
    assert "Network" not in package.keeps


def test_what_is_nested_deeper_goes_first_and_changes_what_nests_it(tmp_path: Path) -> None:
    folder = written(tmp_path)
    inner = folder / "parts" / "inner.yml"
    inner.parent.mkdir()
    inner.write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    nest = "Resources: {%s: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: %s}}}"
    (folder / "database.yml").write_text(nest % ("Inner", "parts/inner.yml"))
    template = template_of(folder / "main.yml")
    _, before = packaged(folder, template, Held(BUCKET), "{}/{}".format)
    assert [upload.file for upload in before.uploads] == [
        "cluster.yml",
        "parts/inner.yml",
        "database.yml",
    ]
    assert "AWS::SNS::Topic" in before.kinds["Database"]
    inner.write_text("Resources: {B: {Type: 'AWS::SNS::Topic'}}")
    _, after = packaged(folder, template, Held(BUCKET), "{}/{}".format)
    same = {upload.key for upload in before.uploads} & {upload.key for upload in after.uploads}
    assert {upload.file for upload in after.uploads if upload.key in same} == {"cluster.yml"}
    inner.write_text(nest % ("Again", "../database.yml"))
    with pytest.raises(ConfigurationError, match="nests itself"):
        packaged(folder, template, Held(BUCKET), "{}/{}".format)
    inner.unlink()
    with pytest.raises(ConfigurationError, match=r"inner\.yml"):
        packaged(folder, template, Held(BUCKET), "{}/{}".format)


def test_an_address_is_left_alone(tmp_path: Path) -> None:
    for url in ("https://s3.amazonaws.com/b/k", "s3://b/k", "!Sub 'https://${B}/k'", "!Ref Url"):
        file = tmp_path / "one.yml"
        body = f"Resources:\n  A:\n    Type: {STACK}\n    Properties:\n      TemplateURL: {url}\n"
        file.write_text(body)
        text, package = packaged(tmp_path, template_of(file), Held(BUCKET), "{}/{}".format)
        assert text.body == body
        assert package.uploads == ()


def test_the_bucket_is_named_first_and_nothing_is_made_to_show_the_plan(crew: Crew) -> None:
    proposal = crew.planned("demo")
    first, second, third = proposal.plan.facts
    assert first.label == "artifact bucket"
    assert first.value == f"{NAME} will be made, private, encrypted, closed to the public"
    assert second.value == "2 of 2 to upload, by content hash"
    assert third.value == "create: up to 5 resources"
    assert any("load balancer" in note for note in proposal.plan.notes)
    assert [step.words.split()[0] for step in proposal.plan.steps] == [
        "make",
        "upload",
        "create",
        "follow",
    ]
    crew.desk.runner.discard(proposal)
    assert crew.world.writes == []


def test_from_nothing_it_is_uploaded_once_and_then_drafted_before(crew: Crew) -> None:
    assert crew.desk.run(crew.planned("demo")).ok
    assert tuple(names(crew.world)) == WRITES
    held = crew.world.buckets[NAME]
    draft = next(call for call in crew.world.writes if call.name == "stack_changes.draft")
    tree = yaml.load(str(draft.arguments["template"]), TemplateLoader)
    for resource in tree["Resources"].values():
        key = resource["Properties"]["TemplateURL"].partition(f"{NAME}/")[2]
        assert held[key].startswith("\nDescription: The ")
    again = crew.planned("demo")
    assert again.plan.steps == ()
    assert facts(crew, "demo")["  templates"] == "all 2 are there already"
    # One template changed: it alone goes up, under another name.
    file = crew.folder / "cluster.yml"
    file.write_text(file.read_text() + "# more\n")
    assert facts(crew, "demo")["  templates"] == "1 of 2 to upload, by content hash"
    crew.world.drafts["demo"] = (Change("change", "Cluster", STACK),)
    outcome = crew.desk.run(crew.planned("demo"))
    assert outcome.ok
    assert len(crew.world.buckets[NAME]) == 3


def test_a_bucket_of_one_s_own_is_used_and_its_parameter_given(crew: Crew) -> None:
    main = crew.folder / "main.yml"
    main.write_text(
        f"Parameters: {{TemplateBucket: {{Type: String, Default: ''}}}}{main.read_text()}"
    )
    crew.world.buckets["ours"] = {}
    crew.world.buckets["ours"]["else"] = "text"
    told = facts(crew, "demo", **{"artifact-bucket": "ours"})
    assert told["artifact bucket"] == "ours is there, not made by bgconsole; it will stay"
    proposal = crew.planned("demo", **{"artifact-bucket": "ours"})
    assert crew.desk.run(proposal).ok
    assert names(crew.world)[0] == "put"
    assert dict(crew.world.stacks["demo"].parameters) == {"TemplateBucket": "ours"}
    # It is found again from the stack, and taken from the word that is given.
    assert facts(crew, "demo")["artifact bucket"].startswith("ours ")
    assert facts(crew, "demo", "TemplateBucket=other")["artifact bucket"].startswith("other ")
    # What is configured by now is not where this stack's templates are.
    going = planned(crew.desk, DOWN, "demo", **{"artifact-bucket": "new"}).plan.facts[-1]
    assert going.value.startswith("ours: delete 2 templates")


def test_a_making_that_was_broken_off_is_made_whole(crew: Crew) -> None:
    crew.world.fail("artifacts.put", AccessDenied("AccessDenied", "needs s3:PutObject"))
    outcome = crew.desk.run(crew.planned("demo"))
    assert outcome.exit_code == 4
    assert "s3:PutObject" in outcome.sentence
    assert outcome.go_on == f"bgconsole up demo --templates {crew.folder}"
    assert "demo" not in crew.world.stacks
    crew.world.heal()
    crew.world.buckets_of_ours.clear()
    assert "there, empty" in facts(crew, "demo")["artifact bucket"]
    assert crew.desk.run(crew.planned("demo")).ok
    assert NAME in crew.world.buckets_of_ours


def test_a_stop_while_templates_are_uploaded_makes_no_stack_and_is_gone_on_with(
    crew: Crew,
) -> None:
    cancelled = threading.Event()
    crew.world.after("artifacts.put", lambda _: cancelled.set())
    outcome = crew.desk.run(crew.planned("demo"), cancelled)
    assert outcome.exit_code == 130
    assert "Stopped while templates were uploaded" in outcome.sentence
    assert crew.world.stacks == {}
    assert len(crew.world.buckets[NAME]) == 1
    assert facts(crew, "demo")["  templates"] == "1 of 2 to upload, by content hash"
    assert crew.desk.run(crew.planned("demo")).ok


@pytest.mark.parametrize("whole", [True, False])
def test_where_an_answer_is_lost_the_bucket_is_made_whole_and_not_twice(
    crew: Crew, whole: bool
) -> None:
    def lost() -> Unreachable:
        crew.world.buckets[NAME] = {}
        if whole:
            crew.world.buckets_of_ours.add(NAME)
        return Unreachable("No answer")

    crew.world.fail("artifacts.make", lost, times=1)
    outcome = crew.desk.run(crew.planned("demo"))
    assert outcome.ok
    creates = [c.arguments["create"] for c in crew.world.writes if c.name == "artifacts.make"]
    assert creates == [True, False]
    assert NAME in crew.world.buckets_of_ours


def test_without_the_bucket_s_permissions_or_an_account_it_is_refused(crew: Crew) -> None:
    crew.world.fail("artifacts.look", AccessDenied("AccessDenied", "needs s3:ListBucket"))
    said = crew.refused("demo").reason
    assert "needs s3:ListBucket" in said
    assert f"If the bucket {NAME} is another account's, name another: --artifact-bucket" in said
    assert "'Bad_Name' is no name" in crew.refused("demo", **{"artifact-bucket": "Bad_Name"}).reason
    crew.world.fail("identities.whoami", AccessDenied("AccessDenied"))
    assert "which account" in crew.refused("demo").reason
    assert crew.world.writes == []


def test_what_a_change_set_hides_is_said_and_asked_for_by_name(crew: Crew) -> None:
    assert crew.desk.run(crew.planned("demo")).ok
    crew.world.drafts["demo"] = (Change("change", "Cluster", STACK),)
    proposal = crew.planned("demo")
    assert proposal.risk is Risk.DISRUPTIVE
    crew.desk.runner.discard(proposal)
    crew.world.drafts["demo"] = (Change("change", "Database", STACK),)
    proposal = crew.planned("demo")
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == "demo"
    assert any("inside Database is not known" in note for note in proposal.plan.notes)
    file = crew.folder / "cluster.yml"
    file.write_text(file.read_text() + "# more\n")
    assert crew.planned("demo").risk is Risk.DANGEROUS  # which of them changes is not known yet


def test_what_aws_names_only_because_its_template_might_differ_is_no_change(crew: Crew) -> None:
    assert crew.desk.run(crew.planned("demo")).ok
    database = Change("change", "Database", STACK, follows=frozenset())
    crew.world.drafts["demo"] = (database, Change("change", "Cluster", STACK))
    proposal = crew.planned("demo")
    assert proposal.risk is Risk.DISRUPTIVE
    labels = [fact.label for fact in proposal.plan.facts]
    assert "  ~ Cluster" in labels
    assert "  ~ Database" not in labels
    crew.desk.runner.discard(proposal)
    crew.world.drafts["demo"] = (database,)
    proposal = crew.planned("demo")
    assert proposal.plan.facts[-1].value == "update: no resource to change"
    assert crew.desk.run(proposal).ok  # its outputs may differ


def test_without_a_name_it_is_the_stack_that_nests_once_that_is_there(crew: Crew) -> None:
    main = crew.folder / "main.yml"
    main.write_text(main.read_text() + "Outputs: {LoadBalancerUrl: {Value: x}}\n")
    assert crew.planned().plan.target == "demodb, democluster"
    crew.stack("demo", "CREATE_COMPLETE")
    assert crew.planned().plan.target == "demo"
    crew.stack("democluster", "CREATE_COMPLETE", parameters=(("DatabaseUrl", "the-url"),))
    assert crew.planned().plan.target == "democluster"


def test_down_deletes_our_templates_and_a_bucket_that_holds_nothing_else(crew: Crew) -> None:
    assert crew.desk.run(crew.planned("demo")).ok
    somebody, world = crew.desk, crew.world
    proposal = planned(somebody, DOWN, "demo")
    assert proposal.plan.facts[-1].value == f"{NAME}: delete 2 templates of demo, and the bucket"
    world.buckets[NAME]["bgconsole/other/1.yml"] = "text"
    assert planned(somebody, DOWN, "demo").plan.facts[-1].value.endswith("holds more and stays")
    del world.buckets[NAME]["bgconsole/other/1.yml"]
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome.sentence
    assert names(world)[-4:] == ["delete", "remove", "remove", "drop"]
    assert world.buckets == {}
    assert planned(somebody, DOWN).plan.steps == ()


def test_down_leaves_what_is_not_ours(crew: Crew) -> None:
    crew.world.buckets["theirs"] = {"else": "text"}
    assert crew.desk.run(crew.planned("demo", **{"artifact-bucket": "theirs"})).ok
    given = {"artifact-bucket": "theirs"}
    proposal = planned(crew.desk, DOWN, "demo", **given)
    assert proposal.plan.facts[-1].value.endswith("not bgconsole's and stays")
    assert crew.desk.run(proposal).ok
    assert crew.world.buckets == {"theirs": {"else": "text"}}


def test_what_a_failed_beginning_left_in_the_bucket_goes_too(crew: Crew) -> None:
    crew.world.fail("stack_changes.draft", AccessDenied("AccessDenied", "needs more"))
    assert crew.desk.run(crew.planned("demo")).exit_code == 4
    assert len(crew.world.buckets[NAME]) == 2
    proposal = planned(crew.desk, DOWN, "demo")
    assert proposal.plan.summary == "Delete the templates of demo, which is not there"
    assert crew.desk.run(proposal).ok
    assert crew.world.buckets == {}


def test_a_bucket_that_somebody_filled_meanwhile_stays_and_that_is_no_failure(crew: Crew) -> None:
    assert crew.desk.run(crew.planned("demo")).ok
    proposal = planned(crew.desk, DOWN, "demo")

    def fill(world: ScriptedWorld) -> None:
        world.buckets[NAME]["else"] = "text"

    crew.world.after("artifacts.drop", fill)
    outcome = crew.desk.run(proposal)
    assert outcome.ok
    assert "stays: it holds something else" in outcome.sentence


def test_a_bucket_that_cannot_be_looked_at_keeps_no_stack(crew: Crew) -> None:
    crew.stack("demo", "CREATE_COMPLETE")
    crew.world.fail("artifacts.look", AccessDenied("AccessDenied", "needs s3:ListBucket"))
    proposal = planned(crew.desk, DOWN, "demo")
    (check,) = proposal.plan.checks
    assert check.state == "not checked"
    assert "needs s3:ListBucket" in check.words
    assert crew.desk.run(proposal).ok


def test_images_in_a_nested_repository_keep_it(crew: Crew) -> None:
    world = crew.world
    stack(world, "demo")
    stack(world, "demo-Repo-1", parent=world.stacks["demo"].arn)
    nested = world.stacks["demo-Repo-1"].arn
    world.stack_resources["demo"] = (StackResource("Repo", STACK, "CREATE_COMPLETE", nested),)
    inside = StackResource("R", "AWS::ECR::Repository", "CREATE_COMPLETE", "demorepo")
    world.stack_resources["demo-Repo-1"] = (inside,)
    world.images["demorepo"] = (Image("demorepo", "sha256:1", ("a",), None, 1),)
    assert "holds 1 image; --empty deletes them" in refused(crew.desk, DOWN, "demo").reason
    assert crew.desk.run(planned(crew.desk, DOWN, "demo", empty="yes")).ok
    assert world.images["demorepo"] == ()

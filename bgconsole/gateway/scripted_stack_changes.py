"""CloudFormation, written, over a scripted world: a draft comes true when it is executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bgconsole.domain.change_set import ChangeSet
from bgconsole.domain.errors import NotThere
from bgconsole.domain.stacks import STACK, Stack, StackEvent
from bgconsole.gateway.port import NO_TAGS, Submitted
from bgconsole.gateway.scripted_world import Call, ScriptedWorld


@dataclass(frozen=True, slots=True)
class ScriptedStackChanges:
    """The `StackChanges` port. `world.drafts` says what a stack's next change set would do."""

    world: ScriptedWorld

    def draft(
        self,
        stack: str,
        name: str,
        *,
        template: str,
        parameters: Mapping[str, str],
        keep: Sequence[str] = (),
        create: bool,
        nested: bool = False,
        tags: Mapping[str, str] = NO_TAGS,
    ) -> Submitted:
        """Make a change set of the script's changes; without any it fails as an empty one."""
        call = self.world.enter(
            "stack_changes.draft",
            stack=stack,
            change_set=name,
            template=template,
            parameters=dict(parameters),
            keep=tuple(keep),
            create=create,
            nested=nested,
            tags=dict(tags),
        )
        world = self.world
        with world.lock:
            if create:
                arn = f"arn:aws:cloudformation:{world.place.region}:123456789012:stack/{stack}/new"
                world.stacks[stack] = Stack(stack, arn, "REVIEW_IN_PROGRESS", created_at=world.now)
            there = find_stack(world, stack)
            changes = world.drafts.get(there.name, ())
            made = ChangeSet(
                id=f"{there.arn}/{name}",
                name=name,
                stack=there.arn,
                status="CREATE_COMPLETE" if changes else "FAILED",
                execution="AVAILABLE" if changes else "UNAVAILABLE",
                reason="" if changes else "The submitted information didn't contain changes.",
                changes=changes,
            )
            world.change_sets[there.name, name] = made
            kept = dict(there.parameters)
            world.drafted[there.name] = {
                **{key: kept.get(key, "") for key in keep},
                **parameters,
            }
        return self._answer(call, created=made.id)

    def execute(self, stack: str, name: str) -> Submitted:
        """Carry a change set out: the stack is COMPLETE at once, unless an effect says other."""
        call = self.world.enter("stack_changes.execute", stack=stack, change_set=name)
        world = self.world
        with world.lock:
            there = find_stack(world, stack)
            world.change_sets.pop((there.name, name.rpartition("/")[2]), None)
            world.drafts.pop(there.name, None)
            if call.name not in world.effects:
                verb = "CREATE" if there.status == "REVIEW_IN_PROGRESS" else "UPDATE"
                settle(world, there.name, f"{verb}_COMPLETE")
        return self._answer(call)

    def discard(self, stack: str, name: str) -> Submitted:
        """Forget a change set."""
        call = self.world.enter("stack_changes.discard", stack=stack, change_set=name)
        with self.world.lock:
            self.world.change_sets.pop((find_stack(self.world, stack).name, name), None)
        return self._answer(call)

    def delete(self, stack: str) -> Submitted:
        """Delete a stack at once, unless an effect says other."""
        call = self.world.enter("stack_changes.delete", stack=stack)
        if call.name not in self.world.effects:
            with self.world.lock:
                there = find_stack(self.world, stack)
                gone = replace(there, status="DELETE_COMPLETE")
                del self.world.stacks[there.name]
                self.world.deleted[there.arn] = gone
        return self._answer(call)

    def cancel_update(self, stack: str) -> Submitted:
        """Roll back at once."""
        call = self.world.enter("stack_changes.cancel_update", stack=stack)
        return self._back(call, stack)

    def continue_rollback(self, stack: str, skip: Sequence[str] = ()) -> Submitted:
        """Roll back at once."""
        call = self.world.enter("stack_changes.continue_rollback", stack=stack, skip=tuple(skip))
        return self._back(call, stack)

    def check_drift(self, stack: str) -> Submitted:
        """A check that is over at once."""
        call = self.world.enter("stack_changes.check_drift", stack=stack)
        return self._answer(call, created="check-1")

    def empty_repository(self, repository: str) -> Submitted:
        """Forget every image."""
        call = self.world.enter("stack_changes.empty_repository", repository=repository)
        with self.world.lock:
            self.world.images[repository] = ()
        return self._answer(call)

    def _back(self, call: Call, stack: str) -> Submitted:
        if call.name not in self.world.effects:
            with self.world.lock:
                name = find_stack(self.world, stack).name
                settle(self.world, name, "UPDATE_ROLLBACK_COMPLETE")
        return self._answer(call)

    def _answer(self, call: Call, created: str = "") -> Submitted:
        with self.world.lock:
            effect = self.world.effects.get(call.name)
            answer = effect(self.world, call) if effect else None
            number = f"{len(self.world.writes):012d}"
        return answer or Submitted(f"00000000-0000-4000-8000-{number}", created=created)


def find_stack(world: ScriptedWorld, name: str) -> Stack:
    """By name or ARN; by ARN a deleted one too.

    Raises:
        NotThere: there is none.
    """
    everyone = (*world.stacks.values(), *world.deleted.values())
    found = world.stacks.get(name) or next((s for s in everyone if s.arn == name), None)
    if found is None:
        raise NotThere("No such stack", f"{name} in {world.place.region}")
    return found


def settle(world: ScriptedWorld, name: str, status: str, *events: StackEvent) -> None:
    """Put a stack into a state, what was drafted in force, with events of how it came there.

    Args:
        world: held.
        name: the stack's.
        status: the new one.
        events: of its resources, newest first; that of the stack itself is added.
    """
    stack = world.stacks[name]
    given = world.drafted.pop(name, None)
    world.stacks[name] = replace(
        stack,
        status=status,
        updated_at=world.now,
        parameters=tuple(given.items()) if given is not None else stack.parameters,
        outputs=world.outputs.get(name, stack.outputs),
    )
    end = StackEvent(f"end-{len(world.calls)}", world.now, name, STACK, status, stack=name)
    world.stack_events[name] = (end, *events, *world.stack_events.get(name, ()))

"""What the stand-in reads from an image's layers: the heading, and the migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.sandbox.app_files import AppFiles, read_app
from bgconsole.sandbox.docker.files import File, layer_of
from bgconsole.sandbox.migrations import Database, Migration, read_migration
from bgconsole.sandbox.runtime.programs import Run, program

VIEW = "rails/app/views/posts/index.html.erb"
RAILS_APP = Path(__file__).parents[3] / "rails_app"


def layer(**files: str) -> bytes:
    return layer_of({name: File(text.encode()) for name, text in files.items()}).content


def test_the_heading_is_that_of_the_topmost_view() -> None:
    below = layer(**{VIEW: '<p>x</p>\n<h1 class="a">Posts</h1>\n'})
    above = layer(**{VIEW: "<h1>\n  MEOW\n</h1>"})

    assert read_app([below]).heading == "Posts"
    assert read_app([below, above]).heading == "MEOW"
    assert read_app([below, layer(**{"rails/app/views/.wh.posts": ""})]) == AppFiles()
    assert read_app([b"no tar", below]).heading == "Posts"


def test_the_shipped_app_can_be_read() -> None:
    files = {str(p.relative_to(RAILS_APP)): p for p in RAILS_APP.rglob("*") if p.is_file()}
    packed = layer_of({f"rails/{name}": File(p.read_bytes()) for name, p in files.items()})

    app = read_app([packed.content])

    assert app.heading == "Posts"
    assert [(m.version, m.name, m.calls) for m in app.migrations] == [
        ("20260105091200", "CreatePosts", ("create_table(:posts)",))
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add_column :posts, :slug, :string", {"calls": ("add_column(:posts, :slug, :string)",)}),
        ('raise "no room"', {"error": "RuntimeError: no room"}),
        ("raise ArgumentError, 'no'", {"error": "ArgumentError: no"}),
        ("sleep 90", {"seconds": 90.0}),
        ("sleep", {"seconds": 0.0, "hangs": True}),
        ('# raise "not this"', {}),
    ],
)
def test_plain_ruby_says_how_a_migration_goes(body: str, expected: dict[str, object]) -> None:
    text = f"class AddSlug < ActiveRecord::Migration[7.2]\n  def change\n    {body}\n  end\nend\n"

    found = read_migration("rails/db/migrate/20260109160512_add_slug.rb", text)

    assert found == Migration("20260109160512", "AddSlug", **expected)  # type: ignore[arg-type]
    assert read_migration("rails/db/migrate/README", text) is None


FIRST = Migration("1", "CreatePosts", ("create_table(:posts)",))
SECOND = Migration("2", "Fails", error="ArgumentError: no room", line=7)
THIRD = Migration("3", "Never")


def runs(command: str, database: Database, *migrations: Migration) -> list[Run]:
    made = program(("bundle", "exec", "rails", command), {}, database, migrations)
    return [step for step in made if isinstance(step, Run)]


def test_each_pending_migration_is_a_step_and_a_failing_one_the_last() -> None:
    database = Database()
    first, second = runs("db:migrate", database, FIRST, SECOND, THIRD)
    assert (first.version, first.exit_code) == ("1", 0)
    assert first.lines[1] == "-- create_table(:posts)"
    assert (second.version, second.exit_code) == ("", 1)
    assert "/rails/db/migrate/2_fails.rb:7:in 'Fails#change'" in second.lines
    assert "ArgumentError: no room (ArgumentError)" in second.lines

    database.record("1")
    assert database.versions() == ("1",)
    assert runs("db:migrate", database, FIRST, SECOND)[0].exit_code == 1
    assert [step.lines for step in runs("db:migrate", database, FIRST)] == [()]
    assert runs("db:version", database)[0].lines == ("Current version: 1",)


def test_bin_migrate_tells_by_its_exit_code() -> None:
    database = Database()
    begins, done, ends = (
        step for step in program(("bin/migrate",), {}, database, (FIRST,)) if isinstance(step, Run)
    )
    assert begins.lines == ("migrate: schema at 0, 1 to do",)
    assert done.version == "1"
    assert ends.lines == ("migrate: done, schema at 1",)

    database.migrating = True
    [busy] = program(("bin/migrate",), {}, database, (FIRST,))
    assert isinstance(busy, Run)
    assert (busy.exit_code, busy.lines[0]) == (
        2,
        "migrate: Cannot run migrations because another migration process is currently running.",
    )

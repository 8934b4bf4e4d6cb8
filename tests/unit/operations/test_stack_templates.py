"""What feeds what, and in which order stacks come up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.domain.errors import ConfigurationError
from bgconsole.operations.stack_templates import Feed, folder_of, templates_in, wanted
from tests.unit.operations.stack_folder import written

ROOT = Path(__file__).parents[3]


def test_what_feeds_is_read_from_the_template_that_nests_and_comes_first(tmp_path: Path) -> None:
    templates = templates_in(written(tmp_path))
    order = [template.stack for template in templates]
    assert order.index("demodb") < order.index("democluster") < order.index("demoextra")
    cluster = templates[order.index("democluster")]
    assert cluster.feeds == {"DatabaseUrl": Feed("demodb", "Url")}
    extra = templates[order.index("demoextra")]
    assert extra.feeds == {"LoadBalancerUrl": Feed("democluster", "LoadBalancerUrl")}
    assert templates[order.index("demodb")].kept == {"Database"}


def test_without_a_name_it_is_the_site_and_what_feeds_it(tmp_path: Path) -> None:
    templates = templates_in(written(tmp_path))
    assert _names(wanted(templates, ())) == ["demodb", "democluster"]
    assert _names(wanted(templates, (), given=frozenset({"DatabaseUrl"}))) == ["democluster"]
    assert _names(wanted(templates, (), there=frozenset({"democluster"}))) == ["democluster"]
    assert _names(wanted(templates, ("extra.yml", "demodb"))) == ["demodb", "demoextra"]
    assert wanted(templates, ("demodb", "nothing")) == "nothing"


def test_a_circle_and_a_broken_file_are_told(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "database.yml").write_text(
        "Parameters: {LoadBalancerUrl: {Type: String}}\n"
        "Resources: {A: {Type: 'AWS::SNS::Topic'}}\nOutputs: {Url: {Value: 1}}\n"
    )
    with pytest.raises(ConfigurationError, match="circle"):
        templates_in(folder)
    (folder / "database.yml").write_text("Resources: [")
    with pytest.raises(ConfigurationError, match=r"database\.yml"):
        templates_in(folder)
    with pytest.raises(ConfigurationError, match="nowhere"):
        folder_of(str(tmp_path / "nowhere"))


def test_the_templates_of_the_product_need_nothing_but_each_other() -> None:
    """`up` without a word makes the site; each parameter has a default or is fed."""
    templates = templates_in(ROOT / "cfn")
    chosen = wanted(templates, ())
    assert _names(chosen) == ["demonet", "demorepo", "demodb", "democluster"]
    for template in templates:
        if template.stack in _names(chosen):
            for name, declared in template.parameters.items():
                assert declared.default is not None or name in template.feeds, (template.file, name)


def _names(chosen: object) -> list[str]:
    assert isinstance(chosen, tuple)
    return [template.stack for template in chosen]

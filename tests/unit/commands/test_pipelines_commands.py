"""pipelines: making them, and which one is meant."""

from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import PipelineName, StageName
from tests.unit.commands.machine import SHOP, Machine, slug_of
from tests.unit.commands.stages import EU, STAGING


def test_order_that_looks_like_a_mistake_is_told_with_what_to_type(machine: Machine) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    answer = machine.type("pipelines:create main shop shop-staging")
    assert answer.status == 0
    assert " !     pipelines:update main --stages staging,production" in answer.errors

    ordered = machine.type("pipelines:update main --stages staging,production")
    assert ordered.out == "main: staging (shop-staging) → production (shop)\n"
    assert ordered.errors == ""


def test_stages_may_have_any_name(machine: Machine) -> None:
    for name in (SHOP, EU):
        machine.store.apps.create(name)
    machine.type("pipelines:create main")
    assert machine.type("pipelines:add main shop-eu --stage canary").status == 0
    assert machine.type("pipelines:add main --app shop -s everybody").status == 0
    assert machine.store.pipelines.get(PipelineName("main")).stages == ("canary", "everybody")
    assert machine.type("pipelines:add main shop --stage 'no good'").status == 1


def test_the_only_pipeline_need_not_be_named_to_add_to_it_or_rename_it(machine: Machine) -> None:
    for name in (SHOP, STAGING, EU):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging")
    assert "production (shop)" in machine.type("pipelines:add shop").out
    assert machine.type("--app shop-eu pipelines:add --stage eu").status == 0
    assert machine.type("pipelines:rename shop").out.startswith("shop: staging (shop-staging)")
    machine.type("pipelines:create other")
    machine.store.apps.create(AppName("blog"))
    several = machine.type("pipelines:add blog")
    assert "which pipeline? there are several" in several.errors
    assert "name one of: other, shop" in several.errors
    assert "name one of: other, shop" in machine.type("pipelines:rename third").errors


def test_an_unknown_app_is_exit_20_and_no_pipeline_is_made(machine: Machine) -> None:
    assert machine.type("pipelines:create main nobody").status == 20
    assert machine.store.pipelines.list() == []


def test_an_app_changes_its_stage_leaves_and_the_pipeline_is_renamed_and_destroyed(
    two: Machine,
) -> None:
    assert "qa (shop-staging)" in two.type("pipelines:update shop-staging --stage qa").out
    assert two.type("--app shop-staging pipelines:update --stage staging").status == 0
    assert "x (shop-staging)" in two.type("pipelines:update main -a shop-staging -s x").out
    other = two.type("pipelines:update other -a shop-staging -s staging")
    assert "shop-staging is not in a pipeline other" in other.errors
    assert two.type("pipelines:rename main other").status == 0
    assert two.type("pipelines:remove shop").status == 0
    assert two.type("pipelines:destroy other").out == "other is gone; its apps go on running\n"
    assert two.type("pipelines --format json").json == []
    assert [task.app for task in two.scheduler.tasks()] == [SHOP, STAGING]


def test_help_of_the_noun_has_the_commands_of_both_files(machine: Machine) -> None:
    shown = machine.type("pipelines:help").out
    for name in ("pipelines:create", "pipelines:promote", "pipelines:verify"):
        assert name in shown


def test_several_pipelines_are_listed_where_one_must_be_named(two: Machine) -> None:
    two.type("pipelines:create other")
    for line in ("pipelines:info", "pipelines:verify", "pipelines:update --stages a"):
        answer = two.type(line)
        assert answer.status == 1
        assert "which pipeline? there are several" in answer.errors
        assert "name one of: main, other" in answer.errors
    assert two.type("pipelines:info main").status == 0


def test_several_apps_that_could_be_promoted_are_listed(two: Machine) -> None:
    two.live(AppName("blog-staging"))
    two.live(AppName("blog"))
    two.type("pipelines:create blogs blog-staging blog")
    for line in ("pipelines:promote", "pipelines:diff"):
        answer = two.type(line)
        assert answer.status == 1
        assert "name one of: blog-staging (blogs), shop-staging (main)" in answer.errors
    assert two.store.releases.list(SHOP)[0].version == 1


def test_without_a_pipeline_the_next_thing_to_type_is_told(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    for line in ("pipelines:info", "pipelines:destroy", "pipelines:add shop"):
        assert "pipelines:create makes one" in machine.type(line).errors
    assert "pipelines shows what there is" in machine.type("pipelines:promote").errors
    assert "pipelines:add PIPELINE shop" in machine.type("pipelines:promote shop").errors


def test_the_stage_of_an_app_is_told_to_its_processes(two: Machine) -> None:
    live = two.store.releases.current(SHOP)
    assert live is not None
    told = two.context.back_ends.manifests.of(two.store.apps.get(SHOP), live).environment
    assert (told["PIPELINE"], told["STAGE"]) == ("main", StageName("production"))
    two.type("pipelines:remove shop")
    told = two.context.back_ends.manifests.of(two.store.apps.get(SHOP), live).environment
    assert "STAGE" not in told
    assert slug_of().image == live.slug.image

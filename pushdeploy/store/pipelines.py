"""Pipelines have stages in order, and each app is in one stage of one pipeline at most."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Member, Pipeline, PipelineName, Place, StageName
from pushdeploy.store.database import DuplicateRow, Stored
from pushdeploy.store.reading import Reading
from pushdeploy.store.schema import APPS, PIPELINE_MEMBERS, PIPELINES

_MEMBER = PIPELINE_MEMBERS.c


class Pipelines(Stored):
    """An app is in one pipeline at most. A stage that lost its last app keeps its place."""

    def create(self, name: PipelineName) -> Pipeline:
        """Create a pipeline without stages and apps.

        ``UserError`` when there is one of that name.
        """
        try:
            with self._database.changing() as connection:
                connection.execute(insert(PIPELINES).values(name=str(name), stages=[]))
        except DuplicateRow as error:
            raise _exists(name) from error
        return Pipeline(name, (), ())

    def get(self, name: PipelineName) -> Pipeline:
        """Return the pipeline, or raise ``UserError`` that names those which exist."""
        with self._database.reading() as connection:
            return _get(connection, name)

    def find(self, name: PipelineName) -> Pipeline | None:
        with self._database.reading() as connection:
            return next(iter(_read(connection, PIPELINES.c.name == str(name))), None)

    def list(self) -> Sequence[Pipeline]:
        """List the pipelines in the order of their names."""
        with self._database.reading() as connection:
            return _read(connection)

    def of(self, app: AppName) -> Pipeline | None:
        """Return the pipeline that the app is in."""
        with self._database.reading() as connection:
            return _of(connection, app)

    def place_of(self, app: AppName) -> Place | None:
        """Return the app's pipeline and stage for its environment, without the other members."""
        query = select(PIPELINES.c.name, _MEMBER.stage).select_from(
            PIPELINE_MEMBERS.join(PIPELINES).join(APPS)
        )
        with self._database.reading() as connection:
            row = connection.execute(query.where(APPS.c.name == str(app))).first()
        return Place(PipelineName(row[0]), StageName(row[1])) if row else None

    def add(self, name: PipelineName, app: AppName, stage: StageName) -> Pipeline:
        """Return the pipeline with the app; a new stage comes after all others.

        ``UserError`` when the app is in a pipeline already, which is named.
        """
        with self._database.changing() as connection:
            pipeline = _get(connection, name)
            app_id = _app_id(connection, app)
            _refuse_second(_of(connection, app), app)
            _append_stage(connection, pipeline, stage)
            connection.execute(
                insert(PIPELINE_MEMBERS).values(
                    app_id=app_id,
                    pipeline_id=_id_of(name),
                    stage=str(stage),
                    position=_next_position(name),
                )
            )
            return _get(connection, name)

    def set_stage(self, app: AppName, stage: StageName) -> Pipeline:
        """Move the app to a stage of its pipeline, a new one too."""
        with self._database.changing() as connection:
            pipeline = _of_member(connection, app)
            _append_stage(connection, pipeline, stage)
            moved = update(PIPELINE_MEMBERS).where(_MEMBER.app_id == _app_id(connection, app))
            connection.execute(
                moved.values(stage=str(stage), position=_next_position(pipeline.name))
            )
            return _get(connection, pipeline.name)

    def set_stages(self, name: PipelineName, stages: Sequence[StageName]) -> Pipeline:
        """Give the stages this order. ``UserError`` when one that has apps is left out."""
        with self._database.changing() as connection:
            _check_stages(_get(connection, name), stages)
            _write_stages(connection, name, stages)
            return _get(connection, name)

    def remove(self, app: AppName) -> Pipeline:
        """Take the app out of its pipeline, and return the rest of that. The app itself stays."""
        with self._database.changing() as connection:
            pipeline = _of_member(connection, app)
            app_id = _app_id(connection, app)
            connection.execute(delete(PIPELINE_MEMBERS).where(_MEMBER.app_id == app_id))
            return _get(connection, pipeline.name)

    def rename(self, name: PipelineName, new: PipelineName) -> None:
        changed = update(PIPELINES).where(PIPELINES.c.name == str(name)).values(name=str(new))
        try:
            with self._database.changing() as connection:
                _get(connection, name)
                connection.execute(changed)
        except DuplicateRow as error:
            raise _exists(new) from error

    def destroy(self, name: PipelineName) -> None:
        """Remove the pipeline; its apps stay."""
        with self._database.changing() as connection:
            _get(connection, name)
            connection.execute(delete(PIPELINES).where(PIPELINES.c.name == str(name)))


def _get(connection: Connection, name: PipelineName) -> Pipeline:
    found = _read(connection, PIPELINES.c.name == str(name))
    if not found:
        names = [str(known) for known in connection.execute(_names()).scalars()]
        known = f"there are: {', '.join(names)}" if names else "pipelines:create makes one"
        raise UserError(f"pipeline {name} does not exist", known)
    return found[0]


def _of_member(connection: Connection, app: AppName) -> Pipeline:
    _app_id(connection, app)
    pipeline = _of(connection, app)
    if pipeline is None:
        raise UserError(f"{app} is in no pipeline", f"pipelines:add PIPELINE {app}")
    return pipeline


def _of(connection: Connection, app: AppName) -> Pipeline | None:
    member = select(_MEMBER.pipeline_id).join(APPS).where(APPS.c.name == str(app))
    return next(iter(_read(connection, PIPELINES.c.id == member.scalar_subquery())), None)


def _read(connection: Connection, *conditions: Any) -> Sequence[Pipeline]:
    """Those that meet all conditions, by name, each with its members in order."""
    members: dict[str, list[Member]] = {}
    query = select(PIPELINES.c.name, APPS.c.name, _MEMBER.stage)
    query = query.select_from(PIPELINE_MEMBERS.join(PIPELINES).join(APPS))
    for name, app, stage in connection.execute(query.where(*conditions).order_by(_MEMBER.position)):
        members.setdefault(name, []).append(Member(AppName(app), StageName(stage)))
    rows = connection.execute(select(PIPELINES).where(*conditions).order_by(PIPELINES.c.name))
    return [_pipeline(row.name, row.stages, members.get(row.name, [])) for row in rows]


def _pipeline(name: str, stored: object, members: Sequence[Member]) -> Pipeline:
    """Members know their stages too: in their order, where that of the pipeline is damaged."""
    stages = list(stages_of(stored, Reading()))
    stages += dict.fromkeys(each.stage for each in members if each.stage not in stages)
    return Pipeline(
        PipelineName(name),
        tuple(stages),
        tuple(sorted(members, key=lambda member: stages.index(member.stage))),
    )


def stages_of(stored: object, reading: Reading) -> Sequence[StageName]:
    """Return the stages of a pipeline; none where they are damaged."""
    return reading.whole("stages", lambda: _stages(stored), ())


def _stages(stored: object) -> Sequence[StageName]:
    if not isinstance(stored, list):
        raise TypeError("it is no list")
    return tuple(StageName.parse(stage) for stage in stored)


def _app_id(connection: Connection, app: AppName) -> int:
    found = connection.execute(select(APPS.c.id).where(APPS.c.name == str(app))).scalar()
    if found is None:
        raise UnknownApp(app)
    return int(found)


def _refuse_second(pipeline: Pipeline | None, app: AppName) -> None:
    if pipeline is not None:
        raise UserError(
            f"{app} is in the pipeline {pipeline.name} already, as {pipeline.stage_of(app)}",
            f"pipelines:update {app} --stage STAGE, or pipelines:remove {app} first",
        )


def _append_stage(connection: Connection, pipeline: Pipeline, stage: StageName) -> None:
    if stage not in pipeline.stages:
        _write_stages(connection, pipeline.name, [*pipeline.stages, stage])


def _write_stages(connection: Connection, name: PipelineName, stages: Sequence[StageName]) -> None:
    ordered = [str(stage) for stage in stages]
    connection.execute(
        update(PIPELINES).where(PIPELINES.c.name == str(name)).values(stages=ordered)
    )


def _check_stages(pipeline: Pipeline, stages: Sequence[StageName]) -> None:
    if len(set(stages)) != len(stages):
        raise UserError("a stage is named twice", f"they are: {','.join(pipeline.stages)}")
    missing = {member.stage for member in pipeline.members} - set(stages)
    if missing:
        raise UserError(
            f"{', '.join(sorted(missing))} of {pipeline.name} has apps and must be named too",
            f"name all of: {','.join(pipeline.stages)}",
        )


def _names() -> Any:
    return select(PIPELINES.c.name).order_by(PIPELINES.c.name)


def _id_of(name: PipelineName) -> Any:
    return select(PIPELINES.c.id).where(PIPELINES.c.name == str(name)).scalar_subquery()


def _next_position(name: PipelineName) -> Any:
    """After all members of the pipeline."""
    last = select(func.coalesce(func.max(_MEMBER.position), 0) + 1)
    return last.where(_MEMBER.pipeline_id == _id_of(name)).scalar_subquery()


def _exists(name: PipelineName) -> UserError:
    return UserError(f"pipeline {name} exists already", "pipelines shows them all")

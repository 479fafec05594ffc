"""The selection of the objects of one type, at one place in a document."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from amarevents.schema.core.context import Wanted
from amarevents.schema.core.edges import Parent
from amarevents.schema.execution.executor import size_of
from amarevents.schema.execution.leaves import Leaf, Value
from amarevents.schema.execution.plans.run import Run, Unplanned, together
from amarevents.schema.execution.plans.sources import FromAttribute, FromBatch, FromSteps, FromView, Keys, Source
from amarevents.schema.execution.plans.writers import Column, Writer, compile_writer


@dataclass(frozen=True, slots=True)
class Values:
    """How the values of a field become those of the response: leaves or objects, or lists of either."""

    of: "Leaf | Objects"
    nullable: bool
    is_list: bool = False
    items_nullable: bool = False

    async def write(self, values: Sequence[Value], run: Run) -> Column:
        """Return the written values. Raises Unplanned for a null that the schema does not allow."""
        if not self.is_list:
            return await self._write(values, run, nullable=self.nullable)
        lists = [_as_list(value) for value in values if value is not None]
        if len(lists) < len(values) and not self.nullable:
            raise Unplanned
        items = await self._write(list(chain.from_iterable(lists)), run, nullable=self.items_nullable)
        written: Column = []
        start = 0
        for value in values:
            stop = start if value is None else start + len(value)
            written.append(None if value is None else items[start:stop])
            start = stop
        return written

    async def _write(self, values: Sequence[Value], run: Run, *, nullable: bool) -> Column:
        if isinstance(self.of, Leaf):
            return list(map(self.of.write, values))
        present = [value for value in values if value is not None]
        if len(present) == len(values):
            return await self.of.write(present, run)
        if not nullable:
            raise Unplanned
        written = iter(await self.of.write(present, run))
        return [None if value is None else next(written) for value in values]


def _as_list(value: object) -> list[Value]:
    if not isinstance(value, list):
        raise Unplanned
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """A field in the response that is not a plain attribute of all views."""

    values: Values
    attribute: str | None = None
    """The attribute that is the value, if a view has it."""
    source: FromBatch | FromSteps | None = None
    """Where the values of other views come from."""
    leaf: Leaf | None = None
    """How the attribute is written, if it is a leaf that every caller may see."""

    @property
    def leads_on(self) -> bool:
        """Whether more is loaded for its values."""
        return isinstance(self.values.of, Objects) and self.values.of.loads

    def source_of(self, view: type) -> Source:
        """Return where the values of a class of views come from. Raises Unplanned if it lacks the attribute."""
        access = self.source.access if self.source else None
        if self.attribute is not None and hasattr(view, self.attribute):
            return FromAttribute(self.attribute, access)
        if self.source is None:
            raise Unplanned
        batch = self.source.batch if isinstance(self.source, FromBatch) else None
        if batch is not None and batch.view is not None and issubclass(view, batch.view):
            return FromView(batch, self.source.access)
        return self.source


@dataclass(slots=True)
class Objects:
    """The fields that are selected of objects, by their names in the response, in its order.

    None stands for ``__typename``.
    """

    type_name: str
    fields: dict[str, Leaf | Field | None]
    wanted: Wanted
    """What is needed of the views."""
    loads: bool = dataclasses.field(init=False)
    """Whether anything has to be loaded for the objects."""
    _shapes: dict[type, "_Shape"] = dataclasses.field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        fields = [field for field in self.fields.values() if isinstance(field, Field)]
        self.loads = any(field.source is not None or field.leads_on for field in fields)

    async def write(self, views: Sequence[Value], run: Run) -> Column:
        """Return the written objects of views."""
        if not views:
            return []
        kinds = set(map(type, views))
        if len(kinds) == 1:
            return await self._shape(kinds.pop()).write(views, run)
        alike = {kind: [view for view in views if type(view) is kind] for kind in kinds}
        written = {kind: iter(await self._shape(kind).write(some, run)) for kind, some in alike.items()}
        return [next(written[type(view)]) for view in views]

    def _shape(self, view: type) -> "_Shape":
        shape = self._shapes.get(view)
        if shape is None:
            shape = self._shapes[view] = _make_shape(self, view)
        return shape


@dataclass(frozen=True, slots=True)
class _Column:
    """A field of one class of views, whose values become a column of the writer."""

    number: int
    field: Field
    source: Source

    @property
    def waits(self) -> bool:
        return self.source.waits or self.field.leads_on

    async def write(self, views: Sequence[Parent], keys: Keys, run: Run) -> tuple[int, Column]:
        return self.number, await self.field.values.write(await self.source.find(views, keys, run), run)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How objects of one class of views are written. Columns in a group have the same load function."""

    writer: Writer
    columns: tuple[_Column, ...]
    groups: tuple[tuple[_Column, ...], ...]
    size: int

    async def write(self, views: Sequence[Parent], run: Run) -> Column:
        run.count(self.size * len(views))
        if not self.columns:
            return self.writer(views)
        # Refusals are found before anything is loaded.
        keys = [column.source.prepare(views, run) for column in self.columns]
        written = [await column.write(views, (), run) for column in self.columns if not column.waits]
        for group in await together([self._load(group, views, keys, run) for group in self.groups]):
            written += group
        in_order = dict(written)
        return self.writer(views, *(in_order[column.number] for column in self.columns))

    async def _load(
        self, group: tuple[_Column, ...], views: Sequence[Parent], keys: Sequence[Keys], run: Run
    ) -> list[tuple[int, Column]]:
        load = group[0].source.load
        if load is not None and len(group) > 1:
            await run.load(load, chain.from_iterable(keys[column.number] for column in group))
        return await together([column.write(views, keys[column.number], run) for column in group])


def _make_shape(objects: Objects, view: type) -> _Shape:
    if issubclass(view, BaseException) or hasattr(view, "__await__"):
        raise Unplanned
    columns: list[_Column] = []
    entries: list[tuple[str, Leaf | int | None]] = []
    for name, field in objects.fields.items():
        if not isinstance(field, Field):
            entries.append((name, field))
        elif field.leaf is not None and hasattr(view, field.leaf.attribute):
            entries.append((name, field.leaf))
        else:
            entries.append((name, len(columns)))
            columns.append(_Column(len(columns), field, field.source_of(view)))
    groups: dict[object, list[_Column]] = {}
    for column in columns:
        if column.waits:
            groups.setdefault(column.source.load or column.number, []).append(column)
    writer = compile_writer(objects.type_name, entries)
    return _Shape(writer, tuple(columns), tuple(map(tuple, groups.values())), size_of(len(columns)))

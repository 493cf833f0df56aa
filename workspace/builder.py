"""The form in which a view is put together, one line for each condition.

Conditions stand in two lists: all of the first must hold, and one of the second. What a form cannot
show (groups in groups, as a program may have written them) stays as it is and is edited as JSON.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import conditions
from tickets.conditions import Fields, Group, InvalidCondition, Kind, Names, Test
from tickets.conditions.kinds import OPERATORS, Field
from tickets.conditions.values import UNITS
from workspace.columns import DEFAULT, Columns

SECTIONS = ("all", "any")
MOST_LINES = 50
UNIT_NAMES = {
    "minutes": gettext_lazy("minutes"),
    "hours": gettext_lazy("hours"),
    "days": gettext_lazy("days"),
    "weeks": gettext_lazy("weeks"),
}


@dataclass(slots=True)
class Line:
    """One condition as it stands in the form; `values` are as they were typed."""

    section: str
    field: str
    operator: str
    values: list[str] = dataclasses.field(default_factory=list)
    unit: str = "days"
    problem: str = ""

    @classmethod
    def of(cls, section: str, test: Test, fields: Fields) -> Self:
        value, unit = test.value, "days"
        kind = fields[test.field].operators[test.operator][0]
        if kind is Kind.SPAN:
            [(unit, value)] = value.items()
        if kind is Kind.WORDS:
            value = ", ".join(value)
        if kind is Kind.FLAG:
            value = "true" if value else "false"
        given = value if isinstance(value, list) else [] if value is None else [value]
        return cls(section, test.field, test.operator, [str(one) for one in given], unit)

    def as_json(self, fields: Fields) -> dict[str, Any]:
        given: dict[str, Any] = {"field": self.field, "operator": self.operator}
        kind = _kind(self, fields)
        if kind is Kind.NOTHING:
            return given
        first = self.values[0] if self.values else ""
        if kind is Kind.CHOICES:
            return given | {"value": list(self.values)}
        return given | {"value": {self.unit: first} if kind is Kind.SPAN else first}


def _kind(line: Line, fields: Fields) -> Kind:
    try:
        return fields[line.field].operators[line.operator][0]
    except KeyError:
        return Kind.TEXT


@dataclass(slots=True)
class Draft:
    """A view while it is edited."""

    name: str = ""
    lines: list[Line] = dataclasses.field(default_factory=list)
    #: Conditions that the lines cannot show, as JSON.
    written: str = ""
    columns: list[str] = dataclasses.field(default_factory=lambda: list(DEFAULT))
    sort: str = "-last_message_at"
    group_by: str = ""
    audience: str = "personal"
    team: str = ""
    problems: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def empty(cls) -> Self:
        """What most views begin with: work that is not done."""
        return cls(
            lines=[
                Line("all", "status_category", "is", ["new", "open", "pending", "on_hold"]),
                Line("all", "mark", "is", ["none"]),
            ]
        )

    @classmethod
    def of(cls, condition: Any, fields: Fields, **given: Any) -> Self:
        """A saved view's conditions as lines, or as JSON where they cannot be."""
        draft = cls(**given)
        try:
            checked = conditions.check(condition, fields)
        except InvalidCondition as error:
            draft.written = json.dumps(condition, ensure_ascii=False, indent=2)
            draft.problems = error.problems
            return draft
        lines = _as_lines(checked, fields)
        if lines is None:
            draft.written = json.dumps(checked.as_json(), ensure_ascii=False, indent=2)
        else:
            draft.lines = lines
        return draft

    @classmethod
    def posted(cls, data: QueryDict, fields: Fields) -> Self:
        """What a form has sent, with what its buttons ask for done: a line added or taken away."""
        lines = []
        for section in SECTIONS:
            for number in data.getlist(f"{section}-line")[:MOST_LINES]:
                key = f"{section}-{number}"
                line = Line(
                    section,
                    data.get(f"{key}-field", ""),
                    data.get(f"{key}-operator", ""),
                    data.getlist(f"{key}-value")[:100],
                    data.get(f"{key}-unit", "days"),
                )
                if data.get("remove") != key:
                    lines.append(_settled(line, fields))
        added = data.get("add", "")
        if added in SECTIONS:
            name = data.get(f"{added}-new") or "status_category"
            lines.append(_settled(Line(added, name, ""), fields))
        columns = data.getlist("columns")
        if (up := data.get("up")) in columns:
            at = columns.index(up)
            columns.insert(max(at - 1, 0), columns.pop(at))
        sort = data.get("sort", "last_message_at").removeprefix("-")
        return cls(
            name=data.get("name", ""),
            lines=lines,
            written=data.get("written", "")[:20_000],
            columns=columns[:30],
            sort=f"-{sort}" if data.get("direction") == "down" else sort,
            group_by=data.get("group_by", ""),
            audience=data.get("audience", "personal"),
            team=data.get("team", ""),
        )

    def as_json(self, fields: Fields) -> dict[str, Any]:
        """The conditions, and beside each line what is wrong with it. Raises `InvalidCondition`."""
        if self.written.strip():
            try:
                written = json.loads(self.written)
            except (ValueError, RecursionError):
                raise InvalidCondition(_("This is not JSON.")) from None
            return conditions.check(written, fields).as_json()
        parts: dict[str, list[dict[str, Any]]] = {"all": [], "any": []}
        problems = []
        for line in self.lines:
            try:
                conditions.check(line.as_json(fields), fields)
            except InvalidCondition as error:
                line.problem = " ".join(error.problems)
                problems += error.problems
            parts[line.section].append(line.as_json(fields))
        if problems:
            raise InvalidCondition(*problems)
        whole = parts["all"] + ([{"any": parts["any"]}] if parts["any"] else [])
        return conditions.check({"all": whole} if whole else {}, fields).as_json()


def _as_lines(condition: Group, fields: Fields) -> list[Line] | None:
    """The lines that mean the same, where there are such."""
    lines: list[Line] = []
    if not condition.is_all and all(isinstance(part, Test) for part in condition.parts):
        condition = Group(is_all=True, parts=(condition,))
    if not condition.is_all:
        return None
    groups = 0
    for part in condition.parts:
        if isinstance(part, Test):
            lines.append(Line.of("all", part, fields))
            continue
        groups += 1
        if groups > 1 or part.is_all or not all(isinstance(one, Test) for one in part.parts):
            return None
        lines += [Line.of("any", one, fields) for one in part.parts if isinstance(one, Test)]
    return lines


def _settled(line: Line, fields: Fields) -> Line:
    """The line with an operator that its field has, and no value that another field was given."""
    try:
        known = fields[line.field]
    except KeyError:
        return line
    if line.operator not in known.operators:
        line.operator, line.values = next(iter(known.operators)), []
    elif known.operators[line.operator][0] is Kind.CHOICES and known.options and not known.rows:
        allowed = {key for key, _label in known.options}
        line.values = [value for value in line.values if value in allowed]
    return line


# -- What the page shows of it --------------------------------------------------------------------


class Builder:
    """A draft with everything that its form offers."""

    def __init__(self, draft: Draft, fields: Fields, names: Names, columns: Columns) -> None:
        self.draft = draft
        self.fields = list(fields)
        self._known = fields
        self._names = names
        self._columns = columns

    @property
    def sections(self) -> list[dict[str, Any]]:
        titles = {
            "all": _("Tickets of which all of this is true"),
            "any": _("And at least one of this"),
        }
        return [
            {
                "name": section,
                "title": titles[section],
                "lines": [
                    self._shown(number, line)
                    for number, line in enumerate(
                        line for line in self.draft.lines if line.section == section
                    )
                ],
            }
            for section in SECTIONS
        ]

    def _shown(self, number: int, line: Line) -> dict[str, Any]:
        try:
            known: Field | None = self._known[line.field]
        except KeyError:
            known = None
        kind = _kind(line, self._known)
        options = self._options(known, line) if known and kind is Kind.CHOICES else []
        return {
            "key": f"{line.section}-{number}",
            "number": number,
            "field": line.field,
            "label": known.label if known else line.field,
            "operators": [
                {"name": name, "label": OPERATORS[name], "is_current": name == line.operator}
                for name in (known.operators if known else ())
            ],
            "kind": kind.value,
            "value": line.values[0] if line.values else "",
            "options": options,
            "chosen": ", ".join(str(one["label"]) for one in options if one["is_current"]),
            "units": [
                {"name": name, "label": UNIT_NAMES[name], "is_current": name == line.unit}
                for name in UNITS
            ],
            "problem": line.problem,
        }

    def _options(self, known: Field, line: Line) -> list[dict[str, Any]]:
        given: list[tuple[str, Any]] = [(key, label) for key, label in known.options]
        if known.rows:
            rows: Mapping[int, str] = self._names.by_kind[known.rows]
            given += [(str(pk), name) for pk, name in rows.items()]
        return [
            {"value": value, "label": label, "is_current": value in line.values}
            for value, label in given
        ]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The chosen ones in their order, then the others."""
        known = {column.name: column for column in self._columns}
        chosen = [name for name in self.draft.columns if name in known]
        rest = [name for name in known if name not in chosen]
        return [
            {
                "name": name,
                "label": known[name].label,
                "is_chosen": name in chosen,
                "may_move": name in chosen and at > 0,
            }
            for at, name in enumerate([*chosen, *rest])
            if name != "subject"
        ]

    @property
    def sorts(self) -> list[dict[str, Any]]:
        current = self.draft.sort.removeprefix("-")
        return _choices((column for column in self._columns if column.lookup), current)

    @property
    def goes_down(self) -> bool:
        return self.draft.sort.startswith("-")

    @property
    def groups(self) -> list[dict[str, Any]]:
        grouping = (
            column
            for column in self._columns
            if column.lookup and column.look in ("", "status", "priority")
            if column.name != "subject"
        )
        return _choices(grouping, self.draft.group_by)


def _choices(columns: Iterable[Any], current: str) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "label": one.label, "is_current": one.name == current} for one in columns
    ]

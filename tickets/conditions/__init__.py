"""The one condition language: which tickets are meant, said in JSON.

    {"all": [
        {"field": "status_category", "operator": "is", "value": ["new", "open"]},
        {"any": [
            {"field": "assignee", "operator": "is", "value": "me"},
            {"field": "tags", "operator": "has_any", "value": ["vip"]}
        ]},
        {"field": "created_at", "operator": "in_last", "value": {"days": 7}}
    ]}

Views, bulk changes and the API's filter use it. It is compiled to exactly one queryset filter, out
of fields and operators that are named in `fields` and nowhere else; there is no second evaluator.
An empty object means every ticket.
"""

from tickets.conditions.fields import Fields
from tickets.conditions.kinds import Field, Kind
from tickets.conditions.language import (
    EVERYTHING,
    Condition,
    Group,
    Test,
    check,
    compiled,
    matching,
    names_own_fields,
)
from tickets.conditions.tags import names_tag, with_tag
from tickets.conditions.values import InvalidCondition
from tickets.conditions.words import Names, described

__all__ = [
    "EVERYTHING",
    "Condition",
    "Field",
    "Fields",
    "Group",
    "InvalidCondition",
    "Kind",
    "Names",
    "Test",
    "check",
    "compiled",
    "described",
    "matching",
    "names_own_fields",
    "names_tag",
    "with_tag",
]

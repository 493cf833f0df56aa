from __future__ import annotations

from hashlib import sha256
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from people.brand import our_addresses
from portal import stamps
from portal.fields import Address, Files, OneLine, Paragraphs
from portal.own_fields import Question, answers, input_for, questions
from surveys.models import Score
from tickets.models import Category, RequestForm

LONGEST_TEXT = 50_000
_TOO_LONG = _("This is longer than we can take. Please send the rest as a file.")


class PortalForm(forms.Form):
    """A form whose faults the server names, in the page's language; the browser holds nothing
    back."""

    use_required_attribute = False


class StampedForm(PortalForm):
    """A form of which each copy that is handed out carries a signed stamp."""

    @property
    def sent_stamp(self) -> str:
        stamp: str = self.data.get("stamp", "")
        return stamp if stamps.is_ours(stamp) else ""

    @property
    def stamp(self) -> str:
        """For the page: the stamp that this copy came with, else a new one."""
        return self.sent_stamp or stamps.new_stamp()

    def dedupe_key(self, *, about: str = "") -> str:
        """The same for the same copy with the same words and files: sent twice, it is one message.
        Empty when nothing tells the copies apart."""
        if not self.sent_stamp:
            return ""
        words = [str(self.data.get(name, "")) for name in self.fields if name != "attachments"]
        files = [
            f"{file.name} {file.content.size}" for file in self.cleaned_data.get("attachments", ())
        ]
        given = "\x1f".join([about, self.sent_stamp, *words, *files])
        return "form:" + sha256(given.encode()).hexdigest()


class AskForm(StampedForm):
    """What a customer asks. Looks for signs of a machine too: whoever shows one is asked to send it
    once more, so that a person whom we mistook loses nothing but a click."""

    name = OneLine(
        label=_("Your name"),
        max_length=160,
        error_messages={
            "required": _("Please tell us your name."),
            "max_length": _("This name is longer than we can take."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = Address(
        label=_("E-mail"),
        error_messages={"required": _("We need an address to answer you.")},
    )
    # Without one, the message's first words are the subject.
    subject = OneLine(
        label=_("What is it about?"),
        required=False,
        max_length=300,
        error_messages={
            "max_length": _("Please keep this short, and tell us more in the field below.")
        },
    )
    text = Paragraphs(
        label=_("Tell us more"),
        max_length=LONGEST_TEXT,
        error_messages={
            "required": _("Please tell us in a few words what we can do."),
            "max_length": _TOO_LONG,
        },
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    category = forms.TypedChoiceField(
        label=_("Topic"),
        required=False,
        empty_value=None,
        error_messages={"invalid_choice": _("This topic is gone. Please choose another, or none.")},
    )
    attachments = Files(label=_("Files"), required=False)

    def __init__(
        self,
        *args: Any,
        design: RequestForm | None = None,
        is_from_elsewhere: bool = False,
        **kwargs: Any,
    ) -> None:
        """`design` is the company's form that this is a copy of: the topics that it offers, the
        fields that it asks."""
        super().__init__(*args, **kwargs)
        self._is_from_elsewhere = is_from_elsewhere
        tree = Category.objects.in_use().as_tree()
        self._parents = {category.pk: category.parent_id for category in tree}
        if design and (offered := {one.pk for one in design.categories.all()}):
            tree = [category for category in tree if category.pk in offered]
        if tree:
            topic = cast(forms.TypedChoiceField, self.fields["category"])
            topic.choices = [
                ("", _("Choose one, if it fits")),
                *((str(category.pk), category.path) for category in tree),
            ]
            topic.coerce = {str(category.pk): category for category in tree}.__getitem__
        else:
            del self.fields["category"]
        self._questions = questions(design) if design else []
        for question in self.asked(self.data.get("category") or self.initial.get("category")):
            self.fields[question.name] = input_for(question)

    def asked(self, category: Any) -> list[Question]:
        """What this copy asks beside the usual, once the customer has chosen this category."""
        at = int(category) if str(category or "").isdecimal() else None
        lineage: list[int] = []
        while at is not None and at in self._parents and at not in lineage:
            lineage.append(at)
            at = self._parents[at]
        return [question for question in self._questions if question.is_asked(lineage)]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """The inputs of the company's own fields, as far as they are asked now."""
        asked = [question for question in self._questions if question.name in self.fields]
        return [self[question.name] for question in asked]

    @property
    def has_questions_by_topic(self) -> bool:
        return any(question.category_id for question in self._questions)

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if address in our_addresses():
            raise ValidationError(_("This is our own address. Please give us yours."))
        return address

    def clean(self) -> dict[str, Any]:
        values, wrong = answers(self._questions, self.cleaned_data)
        for name, sentence in wrong:
            self.add_error(name, sentence)
        self.cleaned_data["own"] = values
        looks_like_a_machine = (
            # Nobody sees this field; machines like to fill it in.
            self.data.get("website")
            or self._is_from_elsewhere
            or not self.sent_stamp
            or stamps.is_too_quick(self.sent_stamp)
        )
        if looks_like_a_machine:
            raise ValidationError(
                _(
                    "Something made this look as if a machine had sent it. Please press the button "
                    "once more."
                )
            )
        return self.cleaned_data


class ReplyForm(StampedForm):
    """What a customer writes back."""

    text = Paragraphs(
        label=_("Your answer"),
        required=False,
        max_length=LONGEST_TEXT,
        error_messages={"max_length": _TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    attachments = Files(label=_("Files"), required=False)

    def clean(self) -> dict[str, Any]:
        nothing = not self.cleaned_data.get("text") and not self.cleaned_data.get("attachments")
        if nothing and not self.errors:
            self.add_error("text", _("Please write something, or add a file."))
        return self.cleaned_data


class AddressForm(PortalForm):
    """Where to send a link to log in with."""

    email = Address(
        label=_("Your e-mail"),
        error_messages={"required": _("Please give the address from which you wrote to us.")},
    )


class RatingForm(PortalForm):
    """How satisfied a customer is."""

    score = forms.TypedChoiceField(
        label=_("How was our help?"),
        choices=Score.choices,
        coerce=lambda value: Score(int(value)),
        error_messages={
            "required": _("Please choose one of the five."),
            "invalid_choice": _("Please choose one of the five."),
        },
    )
    comment = Paragraphs(
        label=_("What should we know about it?"),
        required=False,
        max_length=4000,
        error_messages={"max_length": _("Please keep it under 4,000 characters.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )

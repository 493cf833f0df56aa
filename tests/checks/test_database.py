"""What the tests themselves rest on: an empty database for each of them."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from tests.database import KEPT, empty_written_tables
from tickets.models import Event, Ticket


@pytest.mark.django_db(transaction=True)
def test_after_a_test_with_real_transactions_every_table_is_empty(ticket: Ticket) -> None:
    assert Event.objects.exists()  # which a trigger keeps from being deleted otherwise
    permissions = Permission.objects.count()
    empty_written_tables()
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - KEPT:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            assert cursor.fetchone() == (0,), table
    assert Permission.objects.count() == permissions > 0

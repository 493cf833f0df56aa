import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# Signs that the parser would take for a part of a word (“55-1188”) or of an address are spaces, and
# letters stand for those that people type in their place (“iasi” for “Iași”).
WORDS = r"""
CREATE FUNCTION tickets_search_bare(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(value) = length(value) THEN value ELSE translate(
        regexp_replace(normalize(value, NFD), '[\u0300-\u036f]+', '', 'g'),
        'øØđĐłŁħĦıŧŦ', 'oOdDlLhHitT') END
$$;

-- The words of a text: as written, without accents, with their places; and their stems. Never
-- fails, whatever a stranger sent: what a tsvector cannot hold is left out.
CREATE FUNCTION tickets_search_words(value text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- Composed, for that is how the stemmers know letters.
    plain text := regexp_replace(normalize(left(value, 100000), NFC),
        '[!-/:-@\[-`{-~«»“”„‘’‚‹›–—…•·\u00a0]+', ' ', 'g');
BEGIN
    RETURN to_tsvector('pg_catalog.simple', tickets_search_bare(plain)) || tickets_search_bare((
        strip(to_tsvector('pg_catalog.english', plain))
        || strip(to_tsvector('pg_catalog.italian', plain))
        || strip(to_tsvector('pg_catalog.romanian', plain)))::text)::tsvector;
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN to_tsvector('pg_catalog.simple', left(tickets_search_bare(plain), 20000));
END
$$;

-- Both, or the first alone where both would not go into one.
CREATE FUNCTION tickets_search_joined(a tsvector, b tsvector) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    joined tsvector;
BEGIN
    joined := a || b;
    -- Room for the head, which the index joins before it.
    RETURN CASE WHEN pg_column_size(joined) > 900000 THEN a ELSE joined END;
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN a;
END
$$;

CREATE AGGREGATE tickets_search_all(tsvector) (
    SFUNC = tickets_search_joined, STYPE = tsvector, INITCOND = '', PARALLEL = SAFE
);

-- What a message adds: its own words with their places, those that it quotes without.
CREATE FUNCTION tickets_search_message(own text, quoted text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN quoted = '' THEN tickets_search_words(own)
        ELSE tickets_search_joined(
            tickets_search_words(own), strip(tickets_search_words(quoted))) END
$$;
"""

DOCUMENTS = """
CREATE FUNCTION tickets_search_head(wanted bigint) RETURNS tsvector
LANGUAGE sql VOLATILE AS $$
    SELECT tickets_search_words(left(concat_ws(' ', t.subject, t.number,
        array_to_string(t.tags, ' '), c.name,
        (SELECT string_agg(i.value, ' ' ORDER BY i.id)
            FROM people_identity i WHERE i.customer_id = c.id),
        (SELECT string_agg(v #>> '{}', ' ') FROM jsonb_path_query(t.fields, 'strict $.**') v
            WHERE jsonb_typeof(v) IN ('string', 'number'))), 20000))
    FROM tickets_ticket t JOIN people_customer c ON c.id = t.customer_id
    WHERE t.id = wanted
$$;

CREATE FUNCTION tickets_search_body(wanted bigint) RETURNS tsvector
LANGUAGE sql VOLATILE AS $$
    SELECT tickets_search_all(tickets_search_message(text, quoted_text) ORDER BY id)
    FROM tickets_message WHERE ticket_id = wanted
$$;

CREATE FUNCTION tickets_search_at(wanted bigint) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(
        (SELECT max(occurred_at) FROM tickets_message WHERE ticket_id = t.id AND kind <> 'note'),
        t.created_at)
    FROM tickets_ticket t WHERE t.id = wanted
$$;

CREATE FUNCTION tickets_search_rebuild(first bigint, last bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO tickets_searchdocument (ticket_id, at, head, body)
    SELECT id, tickets_search_at(id), tickets_search_head(id), tickets_search_body(id)
    FROM tickets_ticket WHERE id BETWEEN first AND last ORDER BY id
    ON CONFLICT (ticket_id) DO UPDATE SET at = tickets_search_at(excluded.ticket_id),
        head = tickets_search_head(excluded.ticket_id),
        body = tickets_search_body(excluded.ticket_id)
$$;

CREATE FUNCTION tickets_search_differing(first bigint, last bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT t.id FROM tickets_ticket t LEFT JOIN tickets_searchdocument d ON d.ticket_id = t.id
    WHERE t.id BETWEEN first AND last
        AND (d.at, d.head, d.body) IS DISTINCT FROM
            (tickets_search_at(t.id), tickets_search_head(t.id), tickets_search_body(t.id))
    ORDER BY t.id
$$;
"""

# A value that is computed by a function that reads is computed again when the row was changed by
# somebody else meanwhile, so that two changes at once leave nothing out.
KEPT = """
CREATE FUNCTION tickets_search_opens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A customer who is renamed at this moment waits for us, and then finds this ticket too.
    PERFORM FROM people_customer WHERE id = NEW.customer_id FOR SHARE;
    INSERT INTO tickets_searchdocument (ticket_id, at, head, body)
        VALUES (NEW.id, NEW.created_at, tickets_search_head(NEW.id), '');
    RETURN NULL;
END
$$;
CREATE TRIGGER tickets_search_opens AFTER INSERT ON tickets_ticket
    FOR EACH ROW EXECUTE FUNCTION tickets_search_opens();

CREATE FUNCTION tickets_search_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets_searchdocument SET head = tickets_search_head(NEW.id) WHERE ticket_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER tickets_search_changes
    AFTER UPDATE OF subject, number, tags, fields, customer_id ON tickets_ticket
    FOR EACH ROW WHEN ((OLD.subject, OLD.number, OLD.tags, OLD.fields, OLD.customer_id)
        IS DISTINCT FROM (NEW.subject, NEW.number, NEW.tags, NEW.fields, NEW.customer_id))
    EXECUTE FUNCTION tickets_search_changes();

CREATE FUNCTION tickets_search_hears() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets_searchdocument d
    SET body = tickets_search_joined(d.body, tickets_search_message(NEW.text, NEW.quoted_text)),
        at = CASE WHEN NEW.kind = 'note' THEN d.at
            -- The first public message may be older than the ticket: a call that is noted later.
            WHEN EXISTS (SELECT FROM tickets_message m WHERE m.ticket_id = NEW.ticket_id
                AND m.kind <> 'note' AND m.id <> NEW.id) THEN greatest(d.at, NEW.occurred_at)
            ELSE NEW.occurred_at END
    WHERE d.ticket_id = NEW.ticket_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER tickets_search_hears AFTER INSERT ON tickets_message
    FOR EACH ROW EXECUTE FUNCTION tickets_search_hears();

-- Messages that are moved to another ticket, corrected or taken away: once for each ticket,
-- however many messages.
CREATE FUNCTION tickets_search_reads_again() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    affected bigint[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        affected := ARRAY(SELECT DISTINCT ticket_id FROM before);
    ELSE
        affected := ARRAY(
            SELECT unnest(ARRAY[b.ticket_id, a.ticket_id]) FROM before b JOIN after a USING (id)
            WHERE (b.ticket_id, b.kind, b.text, b.quoted_text, b.occurred_at)
                IS DISTINCT FROM (a.ticket_id, a.kind, a.text, a.quoted_text, a.occurred_at));
    END IF;
    PERFORM FROM tickets_searchdocument WHERE ticket_id = ANY (affected)
        ORDER BY ticket_id FOR NO KEY UPDATE;
    UPDATE tickets_searchdocument
    SET body = tickets_search_body(ticket_id), at = tickets_search_at(ticket_id)
    WHERE ticket_id = ANY (affected);
    RETURN NULL;
END
$$;
CREATE TRIGGER tickets_search_reads_again AFTER UPDATE ON tickets_message
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_reads_again();
CREATE TRIGGER tickets_search_forgets AFTER DELETE ON tickets_message
    REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_reads_again();

-- Whoever is renamed, or gets or loses an address.
CREATE FUNCTION tickets_search_meets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    affected bigint[];
BEGIN
    IF TG_TABLE_NAME = 'people_customer' THEN
        affected := ARRAY[NEW.id];
    ELSE
        affected := ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.customer_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.customer_id END];
    END IF;
    PERFORM FROM tickets_searchdocument d JOIN tickets_ticket t ON t.id = d.ticket_id
        WHERE t.customer_id = ANY (affected) ORDER BY d.ticket_id FOR NO KEY UPDATE OF d;
    UPDATE tickets_searchdocument d SET head = tickets_search_head(d.ticket_id)
        FROM tickets_ticket t WHERE t.id = d.ticket_id AND t.customer_id = ANY (affected);
    RETURN NULL;
END
$$;
CREATE TRIGGER tickets_search_renames AFTER UPDATE OF name ON people_customer
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION tickets_search_meets();
CREATE TRIGGER tickets_search_meets AFTER INSERT OR DELETE ON people_identity
    FOR EACH ROW EXECUTE FUNCTION tickets_search_meets();
CREATE TRIGGER tickets_search_readdresses AFTER UPDATE OF value, customer_id ON people_identity
    FOR EACH ROW WHEN ((OLD.value, OLD.customer_id) IS DISTINCT FROM (NEW.value, NEW.customer_id))
    EXECUTE FUNCTION tickets_search_meets();
"""

LAYOUT = """
CREATE INDEX tickets_search_words ON tickets_searchdocument USING gin ((head || body));
-- How common a word is decides how it is looked for.
ALTER INDEX tickets_search_words ALTER COLUMN 1 SET STATISTICS 400;
"""

GONE = """
DROP TRIGGER tickets_search_opens ON tickets_ticket;
DROP TRIGGER tickets_search_changes ON tickets_ticket;
DROP TRIGGER tickets_search_hears ON tickets_message;
DROP TRIGGER tickets_search_reads_again ON tickets_message;
DROP TRIGGER tickets_search_forgets ON tickets_message;
DROP TRIGGER tickets_search_renames ON people_customer;
DROP TRIGGER tickets_search_meets ON people_identity;
DROP TRIGGER tickets_search_readdresses ON people_identity;
DROP FUNCTION tickets_search_opens, tickets_search_changes, tickets_search_hears,
    tickets_search_reads_again, tickets_search_meets, tickets_search_rebuild,
    tickets_search_differing, tickets_search_head, tickets_search_body, tickets_search_at;
DROP FUNCTION tickets_search_message;
DROP AGGREGATE tickets_search_all(tsvector);
DROP FUNCTION tickets_search_joined, tickets_search_words, tickets_search_bare;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_the_desk"),
        ("tickets", "0008_indexes_of_working"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("head", django.contrib.postgres.search.SearchVectorField()),
                ("body", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.RunSQL(WORDS + DOCUMENTS + KEPT + LAYOUT, GONE),
    ]

from helpdesk.demo import customers, script


def make_small(monkeypatch):
    """A small part of the demo, so that a test can afford it."""
    monkeypatch.setattr(script, "USUAL_WEEK", 8)
    monkeypatch.setattr(script, "BUMP", 4)
    monkeypatch.setattr(customers, "HOW_MANY", 60)

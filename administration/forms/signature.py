"""A signature as a form shows and takes it."""

from __future__ import annotations

from tickets.sanitise import clean_html, html_to_text, text_to_html


def shown(html: str) -> str:
    """Plain text where nothing is lost by it, else the HTML itself."""
    text = html_to_text(html).strip()
    return text if text_to_html(text) == html else html


def taken(typed: str) -> str:
    """What is stored: lines of text as paragraphs, HTML without whatever could do harm."""
    typed = typed.strip()
    if not typed:
        return ""
    return clean_html(typed) if "<" in typed else text_to_html(typed)

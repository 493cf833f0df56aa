from people.actions.customers import recognise
from people.actions.own import create_api_token, set_availability, set_language

__all__ = [
    "create_api_token",
    "recognise",
    "set_availability",
    "set_language",
]

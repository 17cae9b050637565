"""What EVE events may hold: our own list of fields, and Suricata's schema where
it is there. `downgrade` is ours, and in neither.
"""
import json
import os

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "eve_fields.tsv")
SCHEMA = os.path.join(os.environ.get("STRIPLIGHT_CORPUS", ""), "eve",
                      "schema.json")
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def fields(value, path=""):
    """(path, type) of all that is in it; the members of a list are one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, path + "." + key if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, path + "[]")
    else:
        yield path, TYPES[type(value)]


def listed():
    with open(LIST) as file:
        rows = [line.rstrip("\n").split("\t") for line in file
                if not line.startswith("#")]
    return {tuple(row) for row in rows}


def validator():
    """None: the schema is not here, or nothing that reads it."""
    try:
        import jsonschema
    except ImportError:
        return None
    if not os.path.exists(SCHEMA):
        return None
    with open(SCHEMA) as file:
        return jsonschema.Draft202012Validator(json.load(file))


def wrong(events, schema):
    """What Suricata would not have written, in words."""
    known = listed()
    for event in events:
        rest = {k: v for k, v in event.items() if k != "downgrade"}
        for field in fields(rest):
            if (event["event_type"], *field) not in known:
                yield "%s is not in %s" % (field, os.path.basename(LIST))
        if schema is not None:
            for error in schema.iter_errors(rest):
                yield error.message

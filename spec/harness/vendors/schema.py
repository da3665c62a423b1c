"""Checks a value against the part of JSON Schema that the descriptions here use.

complaints(schema, value, root) -> a list of texts, empty if all is well; $ref leads into root's
components. A keyword that is not known here raises, so that a description cannot ask for a check
that is silently not made.
"""
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float), "null": type(None)}
SAID = {"description", "title", "example", "format", "nullable"}


def is_type(value, name):
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    return isinstance(value, TYPES[name])


def check_object(schema, value, root, at):
    found = [f"{at}.{name}: missing" for name in schema.get("required", []) if name not in value]
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, part in value.items():
        if name in known:
            found += complaints(known[name], part, root, f"{at}.{name}")
        elif others is False:
            found.append(f"{at}.{name}: unknown")
        elif isinstance(others, dict):
            found += complaints(others, part, root, f"{at}.{name}")
    if len(value) > schema.get("maxProperties", len(value)):
        found.append(f"{at}: more than {schema['maxProperties']} members")
    return found


def check_array(schema, value, root, at):
    found = []
    if len(value) > schema.get("maxItems", len(value)):
        found.append(f"{at}: more than {schema['maxItems']} entries")
    if len(value) < schema.get("minItems", 0):
        found.append(f"{at}: fewer than {schema['minItems']} entries")
    for index, part in enumerate(value):
        found += complaints(schema.get("items", {}), part, root, f"{at}[{index}]")
    return found


def check_string(schema, value, at):
    found = []
    if len(value) > schema.get("maxLength", len(value)):
        found.append(f"{at}: longer than {schema['maxLength']}")
    if len(value) < schema.get("minLength", 0):
        found.append(f"{at}: shorter than {schema['minLength']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: not of the form {schema['pattern']}")
    return found


def check_number(schema, value, at):
    found = []
    if value < schema.get("minimum", value):
        found.append(f"{at}: below {schema['minimum']}")
    if value > schema.get("maximum", value):
        found.append(f"{at}: above {schema['maximum']}")
    return found


KNOWN = SAID | {"$ref", "type", "enum", "anyOf", "required", "properties", "additionalProperties",
                "maxProperties", "items", "maxItems", "minItems", "maxLength", "minLength",
                "pattern", "minimum", "maximum"}


def complaints(schema, value, root, at="body"):
    unknown = {word for word in schema if not word.startswith("x-")} - KNOWN
    if unknown:
        raise ValueError(f"schema keyword not checked here: {sorted(unknown)}")
    if "$ref" in schema:
        part = root
        for word in schema["$ref"].lstrip("#/").split("/"):
            part = part[word]
        return complaints(part, value, root, at)
    if "anyOf" in schema:
        tried = [complaints(one, value, root, at) for one in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    if value is None and schema.get("nullable"):
        return []
    if "type" in schema and not is_type(value, schema["type"]):
        return [f"{at}: not of type {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: not one of {schema['enum']}"]
    if isinstance(value, dict):
        return check_object(schema, value, root, at)
    if isinstance(value, list):
        return check_array(schema, value, root, at)
    if isinstance(value, str):
        return check_string(schema, value, at)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return check_number(schema, value, at)
    return []

#!/usr/bin/env python3
"""HubSpot's contacts: batch upsert, as docs/guide/handler-hubspot.md uses it. See standin.py.

State: contacts (a list), tokens, properties (those that exist), unique (those with unique values).
An input that is wrong in itself makes the whole batch be refused, as does a contact that is named
twice; in versions before 2026-09 it fails alone, in a 207, unless email is the idProperty (HubSpot:
"partial upserts are not supported when using email").
"""
import datetime
import re

import standin

STANDARD = ["email", "firstname", "lastname", "phone", "address", "city", "state", "zip", "country"]
LOYALTY = ["loyalty_member_id", "loyalty_points", "loyalty_points_earned",
           "loyalty_points_redeemed", "loyalty_tier", "loyalty_status"]
NUMBERS = {"loyalty_points", "loyalty_points_earned", "loyalty_points_redeemed"}
CATEGORIES = {401: "INVALID_AUTHENTICATION", 403: "MISSING_SCOPES", 404: "OBJECT_NOT_FOUND",
              409: "CONFLICT", 429: "RATE_LIMITS"}


class HubSpot(standin.Standin):
    description = "hubspot"

    def __init__(self, port=0, log=None):
        super().__init__(port, log)
        self.contacts, self.tokens = [], ["pat-test"]
        self.properties, self.unique = STANDARD + LOYALTY, ["email", "loyalty_member_id"]

    def state(self):
        return {"contacts": self.contacts}

    def error(self, status, message):
        body = {"status": "error", "message": message, "correlationId": "0-0-0",
                "category": CATEGORIES.get(status, "VALIDATION_ERROR" if status < 500 else "ERROR")}
        if status == 429:
            body.update(errorType="RATE_LIMIT", policyName="TEN_SECONDLY_ROLLING",
                        message="You have reached your ten_secondly_rolling limit.")
        return body

    def let_in(self, request, operation):
        if request.headers.get("Authorization") not in ["Bearer " + one for one in self.tokens]:
            return standin.Reply(401, self.error(401, "Authentication credentials not found."))
        return None

    def wrong(self, one):
        id_property = one.get("idProperty")
        if id_property not in self.unique:
            return f"Unable to perform update/upsert by non-unique property {id_property}"
        for name, value in one["properties"].items():
            if name not in self.properties:
                return f'Property "{name}" does not exist'
            if name in NUMBERS and value and not re.fullmatch(r"-?\d+(\.\d+)?", value):
                return f"{value} was not a valid number."
        email = one["id"] if id_property == "email" else one["properties"].get("email")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return f"Email address {email} is invalid"
        return None

    def find(self, one):
        name = one["idProperty"]
        key = one["id"].lower() if name == "email" else one["id"]
        for contact in self.contacts:
            value = contact["properties"].get(name, "")
            if (value.lower() if name == "email" else value) == key:
                return contact
        return None

    def upsert(self, one):
        contact = self.find(one)
        new = contact is None
        if new:
            contact = {"id": str(1000 + len(self.contacts)), "properties": {}, "upserts": 0}
            self.contacts.append(contact)
        contact["properties"].update({one["idProperty"]: one["id"], **one["properties"]})
        contact["upserts"] += 1
        stamp = datetime.datetime.fromtimestamp(self.now(), datetime.timezone.utc).isoformat()
        result = {"id": contact["id"], "new": new, "archived": False, "createdAt": stamp,
                  "updatedAt": stamp, "properties": dict(contact["properties"])}
        if "objectWriteTraceId" in one:
            result["objectWriteTraceId"] = one["objectWriteTraceId"]
        return result

    def act(self, request, operation):
        inputs = request.value["inputs"]
        ids = [one["id"].lower() for one in inputs]
        if len(set(ids)) < len(ids):
            request.problems.append("a contact is named twice")
            return standin.Reply(400, self.error(400, "Duplicate IDs found in batch input"))
        wrong = [(one, self.wrong(one)) for one in inputs]
        first = next((text for _, text in wrong if text), None)
        if first and ("2026-09" in request.path
                      or any(one.get("idProperty") == "email" for one in inputs)):
            return standin.Reply(400, self.error(400, first))
        errors = [{"status": "error", "category": "VALIDATION_ERROR", "message": text, "links": {},
                   "errors": [], "context": {"objectWriteTraceId": [one["objectWriteTraceId"]]}}
                  for one, text in wrong if text]
        results = [self.upsert(one) for one, text in wrong if not text]
        request.effect = bool(results)
        body = {"status": "COMPLETE", "startedAt": "2026-11-25T00:00:00Z",
                "completedAt": "2026-11-25T00:00:00Z", "results": results}
        if errors:
            body.update(numErrors=len(errors), errors=errors)
        return standin.Reply(207 if errors else 200, body)


if __name__ == "__main__":
    standin.main(HubSpot)

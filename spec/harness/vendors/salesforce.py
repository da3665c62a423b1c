#!/usr/bin/env python3
"""A Salesforce org: client credentials, and upserts of Contact by an external id. See standin.py.

State: contacts (external id → fields), tokens that are good now, fetched (tokens given out),
duplicates (external ids that several records have). A token is good until it is taken out.
"""
import re

import standin

TEXT, NUMBER, DATE = "text", "number", "date"
FIELDS = {"FirstName": TEXT, "LastName": TEXT, "Email": TEXT, "Phone": TEXT, "Birthdate": DATE,
          "MailingStreet": TEXT, "MailingCity": TEXT, "MailingState": TEXT,
          "MailingPostalCode": TEXT, "MailingCountry": TEXT, "Loyalty_Points__c": NUMBER,
          "Loyalty_Tier__c": TEXT, "Loyalty_Status__c": TEXT, "Loyalty_Member_Id__c": TEXT}
EXTERNAL_IDS = {"Loyalty_Member_Id__c"}
CODES = {401: "INVALID_SESSION_ID", 403: "REQUEST_LIMIT_EXCEEDED", 404: "NOT_FOUND",
         500: "UNKNOWN_EXCEPTION", 503: "SERVER_UNAVAILABLE"}


class Salesforce(standin.Standin):
    description = "salesforce"

    def __init__(self, port=0, log=None):
        super().__init__(port, log)
        self.contacts, self.tokens, self.fetched, self.duplicates = {}, [], 0, []
        self.client = ["client-1", "secret 1"]

    def state(self):
        return {"contacts": self.contacts, "fetched": self.fetched}

    def error(self, status, message, code=None):
        return [{"message": message, "errorCode": code or CODES.get(status, "JSON_PARSER_ERROR")}]

    def let_in(self, request, operation):
        if operation["operationId"] == "token":
            return None
        if request.headers.get("Authorization") not in ["Bearer " + one for one in self.tokens]:
            return standin.Reply(401, self.error(401, "Session expired or invalid"))
        return None

    def token(self, request):
        given = request.value
        if [given["client_id"], given["client_secret"]] != self.client:
            return standin.Reply(400, {"error": "invalid_client",
                                       "error_description": "invalid client credentials"})
        self.fetched += 1
        token = f"00D!token{self.fetched}"
        self.tokens.append(token)
        return standin.Reply(200, {"access_token": token, "instance_url": self.url,
                                   "token_type": "Bearer", "issued_at": "1700000000000"})

    def wrong(self, fields):
        for name, value in fields.items():
            kind = FIELDS.get(name)
            if kind is None:
                return "INVALID_FIELD", f"No such column '{name}' on sobject of type Contact"
            if value is None:
                continue
            good = {TEXT: isinstance(value, str), NUMBER: not isinstance(value, str),
                    DATE: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)}
            if not good[kind]:
                return "JSON_PARSER_ERROR", f"Cannot deserialize {name}"
        return None

    def act(self, request, operation):
        if operation["operationId"] == "token":
            return self.token(request)
        place, fields = request.parameters, request.value
        key = place["value"]
        if place["object"] != "Contact" or place["field"] not in EXTERNAL_IDS:
            request.problems.append("no such object or external id")
            return standin.Reply(404, self.error(404, "Provided external ID field does not exist"))
        wrong = self.wrong(fields)
        if place["field"] in fields or "Id" in fields:
            wrong = "INVALID_FIELD", "The external id must not stand in the body"
        if wrong:
            request.problems.append(wrong[1])
            return standin.Reply(400, self.error(400, wrong[1], wrong[0]))
        if key in self.duplicates:
            return standin.Reply(300, ["/services/data/v66.0/sobjects/Contact/003A",
                                       "/services/data/v66.0/sobjects/Contact/003B"])
        new = key not in self.contacts
        if new and not fields.get("LastName"):
            return standin.Reply(400, self.error(400, "Required fields are missing: [LastName]",
                                                 "REQUIRED_FIELD_MISSING"))
        contact = self.contacts.setdefault(key, {"upserts": 0})
        contact.update(fields)
        contact["upserts"] += 1
        request.effect = True
        return standin.Reply(201 if new else 200, {"id": "003A", "success": True, "errors": [],
                                                   "created": new})


if __name__ == "__main__":
    standin.main(Salesforce)

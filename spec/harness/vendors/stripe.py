#!/usr/bin/env python3
"""Stripe's customer balance transactions, with idempotency keys that last 24 hours. See standin.py.

State: customers (id → list of transactions, oldest first), keys. More entries for scripts:

    "kept/500"        the endpoint ran, failed, and Stripe keeps that answer with the key
    "kept_after/500"  the same, but the transaction had been made
    "gate"            begun, and done only when `gate` is set; until then its key is in use
"""
import threading

import standin

KEY_LIFE_S = 24 * 3600
TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 402: "card_error",
         404: "invalid_request_error", 409: "idempotency_error", 429: "invalid_request_error"}


class Stripe(standin.Standin):
    description = "stripe"

    def __init__(self, port=0, log=None):
        super().__init__(port, log)
        self.customers, self.keys = {"cus_A1": []}, {}
        self.secret_keys, self.busy, self.gate = ["sk_test_1"], set(), threading.Event()

    def state(self):
        return {"customers": self.customers}

    def balance(self, customer):
        return sum(one["amount"] for one in self.customers[customer])

    def error(self, status, message, kind=None):
        return {"error": {"type": kind or TYPES.get(status, "api_error"), "message": message}}

    def let_in(self, request, operation):
        if request.headers.get("Authorization") not in ["Bearer " + one
                                                        for one in self.secret_keys]:
            return standin.Reply(401, self.error(401, "Invalid API Key provided"))
        return None

    def carry_out(self, order, connection, request):
        """A kept failure is made by the endpoint, behind the idempotency layer."""
        if isinstance(order, str) and order.startswith("kept"):
            request.kept, order = order, "ok"
        elif order == "gate":
            with self.lock:
                self.busy.add(request.headers["Idempotency-Key"])
            self.gate.wait()
            with self.lock:
                self.busy.clear()
            order = "timeout_after"
        super().carry_out(order, connection, request)

    def transactions(self, customer):
        if customer not in self.customers:
            raise standin.Reply(404, self.error(404, f"No such customer: '{customer}'"))
        return self.customers[customer]

    def listed(self, request):
        found = list(reversed(self.transactions(request.parameters["customer"])))
        query = standin.form_value(request.query)
        since = int(query.get("created", {}).get("gte", 0))
        found = [one for one in found if one["created"] >= since]
        after = query.get("starting_after")
        if after:
            at = next((i for i, one in enumerate(found) if one["id"] == after), None)
            if at is None:
                raise standin.Reply(400, self.error(400, f"No such transaction: {after}"))
            found = found[at + 1:]
        limit = int(query.get("limit", 10))
        return standin.Reply(200, {"object": "list", "url": request.path, "data": found[:limit],
                                   "has_more": len(found) > limit})

    def create(self, request):
        order = getattr(request, "kept", "")
        status = int(order.split("/")[1]) if order else 0
        if order.startswith("kept/"):
            return standin.Reply(status, self.error(status, "injected"))
        transactions = self.transactions(request.parameters["customer"])
        given = request.value
        example = self.api.document["components"]["examples"]["customer_balance_transaction"]
        total = sum(one["amount"] for one in transactions)
        number = sum(len(one) for one in self.customers.values())
        made = dict(example, id=f"cbtxn_{number + 1}", created=int(self.now()),
                    customer=request.parameters["customer"], ending_balance=total + given["amount"],
                    amount=given["amount"], currency=given["currency"],
                    description=given.get("description"), metadata=given.get("metadata", {}))
        transactions.append(made)
        request.effect = True
        if order:
            return standin.Reply(status, self.error(status, "injected"))
        return standin.Reply(200, made)

    def act(self, request, operation):
        if operation["operationId"] == "list":
            return self.listed(request)
        key = request.headers.get("Idempotency-Key")
        if not key:
            request.problems.append("no Idempotency-Key")
            return self.create(request)
        if key in self.busy:
            return standin.Reply(409, self.error(409, "There is currently another in-progress "
                                                      "request using this Idempotent Key"))
        known = self.keys.get(key)
        if known and self.now() - known["at"] >= KEY_LIFE_S:
            known = None
        print_of = [request.path, request.body.decode()]
        if known and known["print"] != print_of:
            return standin.Reply(400, self.error(
                400, "Keys for idempotent requests can only be used with the same parameters",
                "idempotency_error"))
        if known:
            return standin.Reply(known["status"], known["body"], {"Idempotent-Replayed": "true"})
        reply = self.create(request)
        self.keys[key] = {"print": print_of, "at": self.now(), "status": reply.status,
                          "body": reply.body}
        return reply


if __name__ == "__main__":
    standin.main(Stripe)

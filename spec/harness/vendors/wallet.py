#!/usr/bin/env python3
"""A credit API as many shops have one: knows a repeated Idempotency-Key if it is sent, and tells
which credits there are. See standin.py. State: credits."""
import standin


class Wallet(standin.Standin):
    description = "wallet"

    def __init__(self, port=0, log=None):
        super().__init__(port, log)
        self.credits, self.keys, self.api_keys = [], {}, ["k-1"]

    def state(self):
        return {"credits": self.credits}

    def error(self, status, message):
        return {"problem": message}

    def let_in(self, request, operation):
        if request.headers.get("X-Api-Key") not in self.api_keys:
            return standin.Reply(401, self.error(401, "who are you?"))
        return None

    def act(self, request, operation):
        if operation["operationId"] == "find":
            wanted = dict(request.query)["reference"]
            return standin.Reply(200, {"credits": [one for one in self.credits
                                                   if one["reference"] == wanted]})
        key = request.headers.get("Idempotency-Key")
        if key and key in self.keys:
            return self.keys[key]
        made = dict(request.value, member=request.parameters["member"])
        self.credits.append(made)
        request.effect = True
        reply = standin.Reply(201, made)
        if key:
            self.keys[key] = reply
        return reply


if __name__ == "__main__":
    standin.main(Wallet)

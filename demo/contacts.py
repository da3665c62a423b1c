#!/usr/bin/env python3
"""What HubSpot's stand-in was asked and has: a line `MEMBER POINTS` for each contact, then a line
`REQUESTS PROBLEMS`: how many requests it got, and in how many ways its API's description forbids
them.

    contacts.py URL
"""

import json
import sys
import urllib.request


def main():
    with urllib.request.urlopen(sys.argv[1] + "/control", timeout=30) as answer:
        control = json.load(answer)
    for contact in control["state"]["contacts"]:
        properties = contact["properties"]
        print(properties["loyalty_member_id"], properties.get("loyalty_points", "-"))
    requests = control["requests"]
    print(len(requests), sum(len(request["problems"]) for request in requests))


if __name__ == "__main__":
    main()

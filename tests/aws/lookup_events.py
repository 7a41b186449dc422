"""A stand-in for CloudTrail's LookupEvents, which no emulator serves with events, and for STS GetCallerIdentity.

AWS JSON 1.1; fifty events a page, newest first, ends included, whole seconds; a token is good for the request that it came from;
events older than 90 days are gone; two requests a second for each account and region, then ThrottlingException. A fault plan, drawn
from a seed, drops, delays, cuts, fails or repeats answers and forgets tokens.

    python3 lookup_events.py '{"events": 2000, "days": 30, "quota": 2, "faults": 0.2, "seed": 7}'

prints its port. GET /stats tells what was asked of it, GET /events lists the ids it holds,
GET /records gives the events as a trail writes them.
"""

import base64
import calendar
import hashlib
import json
import random
import socket
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "111122223333"
SOURCES = [
    ("eks.amazonaws.com", ["CreateCluster", "DescribeCluster", "ListClusters", "CreateAccessEntry"]),
    ("sts.amazonaws.com", ["AssumeRole", "GetCallerIdentity"]),
    ("iam.amazonaws.com", ["GetRole", "CreateRole", "DeleteRole"]),
]
REGIONS = ["us-east-1", "eu-west-1"]
OFF = {"ap-east-1"}


def make_events(options, now):
    rng = random.Random(options["seed"])
    events = []
    for number in range(options["events"]):
        source, names = rng.choice(SOURCES)
        # Bursts: several events of one second, more than a page of them now and then.
        age = rng.random() * options["days"] * 86400
        if rng.random() < 0.2:
            age = age // 7200 * 7200
        at = int(now - age)
        name = rng.choice(names)
        event_id = str(uuid.UUID(int=rng.getrandbits(128)))
        region = "us-east-1" if source.startswith("iam") else rng.choice(REGIONS)
        record = record_of(event_id, at, source, name, region, {"name": f"c{number % 7}"})
        events.append((at, event_id, source, name, region, json.dumps(record)))
    # An account where pipelines make and delete roles all day, and what the test itself has to tell.
    for number in range(options.get("role_events", 0)):
        name = ("CreateRole", "DeleteRole")[number % 2]
        at = int(now - (number + 1) * options["days"] * 86400 / (options["role_events"] + 1))
        event_id = str(uuid.UUID(int=rng.getrandbits(128)))
        record = record_of(event_id, at, "iam.amazonaws.com", name, "us-east-1", {"roleName": f"job-{number // 2}"})
        events.append((at, event_id, "iam.amazonaws.com", name, "us-east-1", json.dumps(record)))
    for record in options.get("records", []):
        at = calendar.timegm(time.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ"))
        events.append((at, record["eventID"], record["eventSource"], record["eventName"], record["awsRegion"], json.dumps(record)))
    events.sort(key=lambda event: (-event[0], event[1]))
    return events


def record_of(event_id, at, source, name, region, request):
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/ana",
            "accountId": ACCOUNT,
            "userName": "ana",
        },
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.17",
        "requestParameters": request,
        "responseElements": None,
        "eventID": event_id,
        "readOnly": name.startswith(("Describe", "List", "Get")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def has_value(event, key, value):
    """What a lookup attribute selects by."""
    fields = {"EventId": event[1], "EventSource": event[2], "EventName": event[3]}
    if key in fields:
        return fields[key] == value
    record = json.loads(event[5])
    if key == "ResourceName":
        request = record["requestParameters"] or {}
        named = {request.get(name) for name in ("roleName", "userName", "name")}
        return value in named | {resource.get("ARN") for resource in record.get("resources", [])}
    if key == "Username":
        return record["userIdentity"].get("userName") == value
    return key == "ReadOnly" and str(record["readOnly"]).lower() == value


class Quota:
    """At most so many requests in any second, for each region."""

    def __init__(self, rate):
        self.rate = rate
        self.tokens = {}
        self.lock = threading.Lock()

    def take(self, region):
        if not self.rate:
            return True
        with self.lock:
            now = time.monotonic()
            recent = [at for at in self.tokens.get(region, []) if now - at < 1.0]
            allowed = len(recent) < self.rate
            self.tokens[region] = recent + [now] if allowed else recent
            return allowed


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        world = self.server.world
        if self.path == "/stats":
            with world["lock"]:
                body = json.dumps(world["stats"])
        elif self.path == "/records":
            body = '{"Records":[' + ",".join(event[5] for event in world["events"]) + "]}"
        else:
            body = json.dumps(sorted(event[1] for event in world["events"]))
        self.answer(200, body)

    def do_POST(self):
        world = self.server.world
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        region = self.headers.get("Authorization", "////").split("/")[2]
        target = self.headers.get("X-Amz-Target", "")
        if "Action=GetCallerIdentity" in body:
            return self.answer(
                200,
                "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
                f"<Arn>arn:aws:iam::{ACCOUNT}:user/ana</Arn><UserId>AIDAEXAMPLE</UserId><Account>{ACCOUNT}</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>",
                "text/xml",
            )
        if not target.endswith(".LookupEvents"):
            return self.fault(400, "UnknownOperationException", "")
        with world["lock"]:
            world["stats"]["requests"] += 1
        if region in OFF:
            return self.fault(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
        if world["options"].get("denied"):
            return self.fault(
                400,
                "AccessDeniedException",
                f"User: arn:aws:iam::{ACCOUNT}:user/ana is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action",
            )
        if not world["quota"].take(region):
            with world["lock"]:
                world["stats"]["throttled"] += 1
            return self.fault(400, "ThrottlingException", "Rate exceeded")
        with world["lock"]:
            world["stats"]["first"] = world["stats"]["first"] or time.monotonic()
            world["stats"]["last"] = time.monotonic()
            world["stats"]["served"] += 1
            chance, which = world["rng"].random(), world["rng"].random()
        self.lookup(world, region, json.loads(body), which if chance < world["options"].get("faults", 0) else None)

    def lookup(self, world, region, asked, fault):
        if fault is not None and fault < 0.2:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        if fault is not None and fault < 0.4:
            time.sleep(0.3 + fault)
        elif fault is not None and fault < 0.55:
            return self.fault(500, "InternalFailure", "")
        params = {key: value for key, value in asked.items() if key != "NextToken"}
        mark = hashlib.sha256(json.dumps([region, params], sort_keys=True).encode()).hexdigest()[:12]
        at = 0
        if token := asked.get("NextToken"):
            if fault is not None and 0.85 <= fault:
                return self.fault(400, "InvalidNextTokenException", "The token is invalid or has expired.")
            try:
                owner, at = json.loads(base64.b64decode(token))
            except ValueError:
                return self.fault(400, "InvalidNextTokenException", "")
            if owner != mark:
                return self.fault(400, "InvalidNextTokenException", "The token was made for other parameters.")
        attributes = asked.get("LookupAttributes", [])
        if len(attributes) > 1:
            return self.fault(400, "InvalidLookupAttributesException", "")
        first = max(asked.get("StartTime", 0), world["now"] - 90 * 86400)
        last = asked.get("EndTime", world["now"])
        matching = [
            event
            for event in world["events"]
            if first <= event[0] <= last
            and event[4] == region
            and all(has_value(event, a["AttributeKey"], a["AttributeValue"]) for a in attributes)
        ]
        size = min(asked.get("MaxResults", 50), 50)
        if fault is not None and 0.7 <= fault < 0.85 and at >= size:
            # The page before once more; its token leads on as if it were this one's.
            page, following = matching[at - size : at], at
        else:
            page, following = matching[at : at + size], at + size
        answer = {
            "Events": [
                {
                    "EventId": event[1],
                    "EventTime": event[0],
                    "EventSource": event[2],
                    "EventName": event[3],
                    "Username": "ana",
                    "ReadOnly": "false",
                    "CloudTrailEvent": event[5],
                }
                for event in page
            ]
        }
        if following < len(matching):
            answer["NextToken"] = base64.b64encode(json.dumps([mark, following]).encode()).decode()
        text = json.dumps(answer)
        if fault is not None and 0.55 <= fault < 0.7:
            return self.answer(200, text, cut=len(text) // 2)
        return self.answer(200, text)

    def fault(self, status, code, message):
        self.answer(status, json.dumps({"__type": code, "message": message}))

    def answer(self, status, text, kind="application/x-amz-json-1.1", cut=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
        except OSError:
            self.close_connection = True


def main():
    options = {"events": 1000, "days": 30, "quota": 2, "faults": 0, "seed": 1, "now": time.time()}
    options.update(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
    server = ThreadingHTTPServer(("127.0.0.1", options.get("port", 0)), Handler)
    # A client that was killed is no news.
    server.handle_error = lambda *_: None
    server.world = {
        "options": options,
        "now": options["now"],
        "events": make_events(options, options["now"]),
        "quota": Quota(options["quota"]),
        "rng": random.Random(options["seed"] + 1),
        "stats": {"requests": 0, "throttled": 0, "served": 0, "first": None, "last": None},
        "lock": threading.Lock(),
    }
    print(server.server_port, flush=True)
    server.serve_forever()


main()

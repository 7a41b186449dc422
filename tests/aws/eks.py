"""A stand-in for the parts of EKS and IAM that moto has not: access entries with their policies, pages, principals that are gone.

    python3 eks.py

prints its port. One cluster, prod: its creator's entry made by EKS, a role admin by policy, a role limited to a namespace, and an entry
whose role IAM no longer knows. Lists have two items a page, and every fifth request is throttled once.
"""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "111122223333"
MADE = 1795000000.0
POLICY = "arn:aws:eks::aws:cluster-access-policy/"
ROLES = {
    "Creator": [("AmazonEKSClusterAdminPolicy", "cluster", [])],
    "team/Ops": [("AmazonEKSClusterAdminPolicy", "cluster", []), ("AmazonEKSViewPolicy", "namespace", ["dev"])],
    "Dev": [("AmazonEKSEditPolicy", "namespace", ["dev", "dev-*"])],
    "Gone": [("AmazonEKSClusterAdminPolicy", "cluster", [])],
    "Node": [],
}


def arn(role):
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


def entry(role):
    return {
        "clusterName": "prod",
        "principalArn": arn(role),
        "kubernetesGroups": ["viewers"] if role == "Dev" else [],
        "accessEntryArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:access-entry/prod/role/{ACCOUNT}/{role}/0",
        "createdAt": MADE,
        "modifiedAt": MADE,
        "tags": {},
        "username": arn(role),
        "type": "EC2_LINUX" if role == "Node" else "STANDARD",
    }


CLUSTER = {
    "name": "prod",
    "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod",
    "createdAt": MADE,
    "version": "1.33",
    "status": "ACTIVE",
    "roleArn": arn("Service"),
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
    "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": True}]},
    "resourcesVpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def page(self, key, items, query):
        start = int(query.get("nextToken", ["0"])[0])
        answer = {key: items[start : start + 2]}
        answer["nextToken"] = str(start + 2) if start + 2 < len(items) else None
        self.answer(200, answer)

    def do_GET(self):
        with self.server.lock:
            self.server.count += 1
            is_throttled = self.server.count % 5 == 0
        if is_throttled:
            return self.answer(429, {"message": "Rate exceeded"}, {"x-amzn-ErrorType": "ThrottlingException"})
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        steps = [urllib.parse.unquote(step) for step in url.path.strip("/").split("/")]
        if steps == ["clusters"]:
            return self.page("clusters", ["prod"], query)
        if len(steps) > 1 and steps[1] != "prod":
            return self.missing()
        if len(steps) == 2:
            return self.answer(200, {"cluster": CLUSTER})
        if steps[2:] == ["access-entries"]:
            return self.page("accessEntries", [arn(role) for role in ROLES], query)
        role = steps[3].split(":role/")[1]
        if role not in ROLES:
            return self.missing()
        if len(steps) == 4:
            return self.answer(200, {"accessEntry": entry(role)})
        policies = [
            {"policyArn": POLICY + name, "accessScope": {"type": kind, "namespaces": names}, "associatedAt": MADE, "modifiedAt": MADE}
            for name, kind, names in ROLES[role]
        ]
        return self.page("associatedAccessPolicies", policies, query)

    def do_POST(self):
        body = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        action = body.get("Action", [""])[0]
        if action == "GetCallerIdentity":
            return self.xml(
                200,
                "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
                f"<Arn>{arn('x')}</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            )
        name = body.get("RoleName", [""])[0]
        paths = {role.split("/")[-1]: role for role in [*ROLES, "Service"]}
        if action != "GetRole" or name == "Gone" or name not in paths:
            return self.xml(
                404,
                "<ErrorResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
                f"<Message>The role with name {name} cannot be found.</Message></Error></ErrorResponse>",
            )
        trust = urllib.parse.quote(json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}))
        self.xml(
            200,
            "<GetRoleResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><GetRoleResult><Role><Path>/</Path>"
            f"<Arn>{arn(paths[name])}</Arn><RoleName>{name}</RoleName><RoleId>AROA{name.upper()}</RoleId>"
            f"<CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>"
            "</Role></GetRoleResult></GetRoleResponse>",
        )

    def missing(self):
        self.answer(404, {"message": "not there"}, {"x-amzn-ErrorType": "ResourceNotFoundException"})

    def xml(self, status, text):
        self.send(status, text.encode(), {"Content-Type": "text/xml"})

    def answer(self, status, value, headers=None):
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.count = 0
server.lock = threading.Lock()
print(server.server_port, flush=True)
server.serve_forever()

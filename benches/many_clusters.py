"""Logs of a large company: thousands of clusters, each with admins, refused logins, refused requests and refused AWS calls.

    python3 benches/many_clusters.py OUT [--clusters 2000] [--findings 200000]

Writes OUT/trail (CloudTrail objects) and OUT/eks (account/region/cluster/stream), the same for the same numbers. About half of the
findings are refused requests, the rest refused logins, refused AWS calls and admins.
"""

import argparse
import gzip
import json
import pathlib
import random
import uuid
from datetime import datetime, timedelta, timezone

START = datetime(2026, 10, 1, tzinfo=timezone.utc)
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"]
TEAMS = ["payments", "search", "ledger", "fraud", "mobile", "data", "platform", "identity"]
RESOURCES = [("", "pods"), ("", "secrets"), ("apps", "deployments"), ("", "configmaps"), ("batch", "jobs"), ("", "services")]
VERBS = ["get", "list", "create", "delete", "patch"]


def rfc(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Writer:
    def __init__(self, out, seed):
        self.out = pathlib.Path(out)
        self.random = random.Random(seed)

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def time(self):
        return START + timedelta(seconds=self.random.randrange(86_400, 50 * 86_400), microseconds=self.random.randrange(10**6))

    def write(self, path, text):
        path = self.out / path
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as file:
            file.write(text.encode())

    def call(self, cluster, time, name, role, request, response=None, refused=None):
        account, region, _ = cluster
        arn = f"arn:aws:iam::{account}:role/{role}"
        event = {
            "eventVersion": "1.10", "eventID": self.id(), "requestID": self.id(), "eventTime": rfc(time), "eventSource": "eks.amazonaws.com",
            "eventName": name, "awsRegion": region, "recipientAccountId": account, "eventType": "AwsApiCall", "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.17.0", "readOnly": refused is not None, "requestParameters": request, "responseElements": response,
            "userIdentity": {
                "type": "AssumedRole", "accountId": account, "arn": f"arn:aws:sts::{account}:assumed-role/{role}/ci", "principalId": f"AROA{role.upper()}:ci",
                "sessionContext": {"sessionIssuer": {"type": "Role", "accountId": account, "arn": arn, "principalId": f"AROA{role.upper()}", "userName": role}},
            },
        }
        if refused:
            event["errorCode"] = "AccessDenied"
            event["errorMessage"] = (
                f"User: arn:aws:sts::{account}:assumed-role/{role}/ci is not authorized to perform: eks:{name} on resource: "
                f"arn:aws:eks:{region}:{account}:cluster/{cluster[2]} because no identity-based policy allows the eks:{name} action"
            )
        return event

    def request(self, cluster, time, role, verb, group, resource, namespace):
        account = cluster[0]
        user = f"arn:aws:sts::{account}:assumed-role/{role}/ci"
        where = f"/apis/{group}/v1" if group else "/api/v1"
        event = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": self.id(), "stage": "ResponseComplete",
            "requestURI": f"{where}/namespaces/{namespace}/{resource}", "verb": verb,
            "user": {
                "username": user, "uid": f"aws-iam-authenticator:{account}:AROA{role.upper()}", "groups": ["system:authenticated"],
                "extra": {"arn": [user], "canonicalArn": [f"arn:aws:iam::{account}:role/{role}"], "sessionName": ["ci"]},
            },
            "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.31.0", "objectRef": {"resource": resource, "namespace": namespace, "apiVersion": "v1", "apiGroup": group},
            "responseStatus": {
                "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
                "message": f'{resource} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}" in the namespace "{namespace}"',
            },
            "requestReceivedTimestamp": micros(time), "stageTimestamp": micros(time),
            "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""},
        }
        if not group:
            del event["objectRef"]["apiGroup"]
        return f"{micros(time)[:23]}Z {json.dumps(event, separators=(',', ':'))}\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--clusters", type=int, default=2000)
    parser.add_argument("--findings", type=int, default=200_000)
    wanted = parser.parse_args()
    to = Writer(wanted.out, 1)
    each = wanted.findings // wanted.clusters
    events = []
    for number in range(wanted.clusters):
        account = f"{100_000_000_000 + number // 8 * 7919}"
        cluster = (account, REGIONS[number % 4], f"{TEAMS[number % 8]}-{number:04}")
        name = cluster[2]
        made = START + timedelta(seconds=to.random.randrange(80_000))
        mode = {"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True}
        response = {"cluster": {"name": name, "arn": f"arn:aws:eks:{cluster[1]}:{account}:cluster/{name}", "accessConfig": mode, "status": "CREATING"}}
        events.append(to.call(cluster, made, "CreateCluster", f"factory{number % 50}", {"name": name, "accessConfig": mode}, response))
        admins = each // 10
        for admin in range(admins):
            arn = f"arn:aws:iam::{account}:role/oncall{admin}"
            entry = {"accessEntry": {"clusterName": name, "principalArn": arn, "type": "STANDARD", "kubernetesGroups": []}}
            events.append(to.call(cluster, made + timedelta(hours=1), "CreateAccessEntry", "factory0", {"name": name, "principalArn": arn}, entry))
            policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            scope = {"policyArn": policy, "accessScope": {"type": "cluster", "namespaces": []}}
            events.append(to.call(cluster, made + timedelta(hours=2), "AssociateAccessPolicy", "factory0", {"name": name, "principalArn": arn, **scope}, {"clusterName": name, "principalArn": arn, "associatedAccessPolicy": scope}))
        left = each - admins - 2
        calls, logins = left // 5, left // 4
        for app in range(calls):
            events.append(to.call(cluster, to.time(), "DescribeCluster", f"app{app}", {"name": name}, refused=True))
        lines = []
        for app in range(logins):
            time, arn = to.time(), f"arn:aws:iam::{account}:role/job{app}"
            lines.append(
                f'{micros(time)[:23]}Z time="{rfc(time)}" level=warning msg="access denied" arn="{arn}" client="127.0.0.1:{30000 + app}" '
                f'error="ARN is not mapped: {arn}" method=POST path=/authenticate\n'
            )
        base = f"eks/{account}/{cluster[1]}/{name}"
        to.write(f"{base}/authenticator-{number:08x}/000000.gz", "".join(sorted(lines)))
        lines = []
        for at in range(left - calls - logins):
            group, resource = RESOURCES[at % 6]
            lines.append(to.request(cluster, to.time(), f"dev{at // 30}", VERBS[at // 6 % 5], group, resource, TEAMS[number % 8]))
        to.write(f"{base}/kube-apiserver-audit-{number:08x}/000000.gz", "".join(sorted(lines)))
    for at in range(0, len(events), 5000):
        to.write(f"trail/{at // 5000:05}.json.gz", json.dumps({"Records": events[at : at + 5000]}, separators=(",", ":")))


main()

#!/usr/bin/env python3
"""Synthetic logs of an EKS estate: generate.py OUT [--scale 1] [--seed 1].

Writes cloudtrail/*.json.gz, audit/*.ndjson and authenticator/*.log; scale 1 is about 1.6 GB inflated. The same seed gives the same
bytes. Shapes are those of real logs; accounts and names are made up."""
import argparse
import gzip
import json
import os
import random
import uuid

ACCOUNTS = ["111122223333", "444455556666", "777788889999"]
REGIONS = ["us-west-2", "eu-west-1", "us-east-1"]
SERVICES = [("ec2", "DescribeInstances", True), ("s3", "GetBucketAcl", True), ("sts", "AssumeRole", True), ("eks", "DescribeCluster", True),
            ("kms", "Decrypt", True), ("logs", "PutLogEvents", False), ("iam", "GetRole", True), ("eks", "UpdateNodegroupConfig", False)]
AGENTS = ["aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8 cfg/retry-mode#standard",
          "APN/1.0 HashiCorp/1.0 Terraform/1.9.2 terraform-provider-aws/5.58.0 m/E aws-sdk-go-v2/1.30.1", "Boto3/1.34.140 md/Botocore#1.34.140"]
VERBS = ["get", "list", "watch", "update", "patch", "create"]
RESOURCES = [("", "pods"), ("", "configmaps"), ("", "secrets"), ("apps", "deployments"), ("coordination.k8s.io", "leases"), ("", "endpoints")]


def stamp(second, micros=None):
    day, rest = divmod(second, 86400)
    text = f"2026-10-{1 + day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return text + (f".{micros:06}Z" if micros is not None else "Z")


def identity(rng, account):
    role = f"team-{rng.randrange(40)}-role"
    session = f"user{rng.randrange(300)}@example.com"
    unique = f"AROA{rng.randrange(16**12):017X}"
    return role, session, unique, {
        "type": "AssumedRole", "principalId": f"{unique}:{session}", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account, "accessKeyId": f"ASIA{rng.randrange(16**12):016X}",
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": unique, "arn": f"arn:aws:iam::{account}:role/teams/{role}",
                                             "accountId": account, "userName": role},
                           "attributes": {"creationDate": stamp(0), "mfaAuthenticated": "false"}}}


def cloudtrail(rng, second):
    account, region = rng.choice(ACCOUNTS), rng.choice(REGIONS)
    service, name, reads = rng.choice(SERVICES)
    event = {"eventVersion": "1.11", "userIdentity": identity(rng, account)[3], "eventTime": stamp(second), "eventSource": f"{service}.amazonaws.com",
             "eventName": name, "awsRegion": region, "sourceIPAddress": f"203.0.113.{rng.randrange(256)}", "userAgent": rng.choice(AGENTS),
             "requestParameters": {"name": f"cluster-{rng.randrange(30)}", "filterSet": {"items": [{"name": "tag:team", "valueSet": {"items": [{"value": f"team-{rng.randrange(40)}"}]}}]}},
             "responseElements": None, "requestID": str(uuid.UUID(int=rng.getrandbits(128))), "eventID": str(uuid.UUID(int=rng.getrandbits(128))),
             "readOnly": reads, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management",
             "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com"}}
    if not reads:
        event["responseElements"] = {"update": {"id": str(uuid.UUID(int=rng.getrandbits(128))), "status": "InProgress", "type": "ConfigUpdate"}}
    if rng.random() < 0.02:
        event["errorCode"] = "AccessDenied"
        event["errorMessage"] = (f"User: {event['userIdentity']['arn']} is not authorized to perform: {service}:{name} on resource: * because no "
                                 f"identity-based policy allows the {service}:{name} action")
    return event


def audit(rng, second):
    account = rng.choice(ACCOUNTS)
    role, session, unique, _ = identity(rng, account)
    group, resource = rng.choice(RESOURCES)
    verb, namespace = rng.choice(VERBS), f"ns-{rng.randrange(50)}"
    denied = rng.random() < 0.02
    if rng.random() < 0.7:
        user = {"username": f"system:serviceaccount:kube-system:controller-{rng.randrange(20)}", "uid": str(uuid.UUID(int=rng.getrandbits(128))),
                "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
                "extra": {"authentication.kubernetes.io/pod-name": [f"controller-{rng.randrange(999)}"]}}
    else:
        user = {"username": f"{role}:{session}", "uid": f"aws-iam-authenticator:{account}:{unique}", "groups": ["devs", "system:authenticated"],
                "extra": {"accessKeyId": [f"ASIA{rng.randrange(16**12):016X}"], "arn": [f"arn:aws:sts::{account}:assumed-role/{role}/{session}"],
                          "canonicalArn": [f"arn:aws:iam::{account}:role/{role}"], "sessionName": [session]}}
    micros = rng.randrange(900000)
    return {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": str(uuid.UUID(int=rng.getrandbits(128))),
            "stage": "ResponseComplete", "requestURI": f"/apis/{group}/v1/namespaces/{namespace}/{resource}?limit=500&resourceVersion={rng.randrange(10**9)}",
            "verb": verb, "user": user, "sourceIPs": [f"10.0.{rng.randrange(256)}.{rng.randrange(256)}"],
            "userAgent": "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
            "objectRef": {"resource": resource, "namespace": namespace, "name": f"object-{rng.randrange(4000)}", "apiGroup": group, "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": 403 if denied else 200, **({"reason": "Forbidden", "message": f"{resource} is forbidden"} if denied else {})},
            "requestReceivedTimestamp": stamp(second, micros), "stageTimestamp": stamp(second, micros + 4000),
            "annotations": {"authorization.k8s.io/decision": "forbid" if denied else "allow",
                            "authorization.k8s.io/reason": "" if denied else 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to Group "g"'}}


def authenticator(rng, second):
    account = rng.choice(ACCOUNTS)
    role, session, unique, _ = identity(rng, account)
    client = f'client="127.0.0.1:{rng.randrange(30000, 60000)}"'
    tail = "method=POST path=/authenticate"
    yield (f'time="{stamp(second)}" level=info msg="STS response" accesskeyid=ASIA{rng.randrange(16**12):016X} accountid={account} '
           f'arn="arn:aws:sts::{account}:assumed-role/{role}/{session}" {client} {tail} session={session} userid={unique}')
    arn = f'arn="arn:aws:iam::{account}:role/{role}"'
    if rng.random() < 0.05:
        yield f'time="{stamp(second)}" level=warning msg="access denied" {arn} {client} error="identity is not mapped" {tail}'
    else:
        groups = "[system:masters]" if rng.random() < 0.1 else "[devs viewers]"
        yield (f'time="{stamp(second)}" level=info msg="access granted" {arn} {client} groups="{groups}" {tail} '
               f'stsendpoint=sts.us-west-2.amazonaws.com uid="aws-iam-authenticator:{account}:{unique}" username={role}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    rng = random.Random(a.seed)
    files = max(2, round(24 * a.scale))
    span = 20 * 86400

    def each(folder, kind, per_file, write):
        os.makedirs(f"{a.out}/{folder}", exist_ok=True)
        total = files * per_file
        for number in range(files):
            seconds = sorted(span * (number * per_file + at) // total for at in range(per_file))
            write(f"{a.out}/{folder}/{number:04}{kind}", seconds)

    def write_trail(path, seconds):
        with gzip.GzipFile(path, "wb", compresslevel=6, mtime=0) as out:
            out.write(json.dumps({"Records": [cloudtrail(rng, second) for second in seconds]}, separators=(",", ":")).encode())

    def write_audit(path, seconds):
        with open(path, "w") as out:
            out.writelines(json.dumps(audit(rng, second), separators=(",", ":")) + "\n" for second in seconds)

    def write_lines(path, seconds):
        with open(path, "w") as out:
            out.writelines(line + "\n" for second in seconds for line in authenticator(rng, second))

    each("cloudtrail", ".json.gz", 16000, write_trail)
    each("audit", ".ndjson", 24000, write_audit)
    each("authenticator", ".log", 14000, write_lines)


if __name__ == "__main__":
    main()

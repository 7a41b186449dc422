"""Fills an emulator (moto) with two clusters, their logs, a trail's bucket and IAM principals.

    python3 seed.py http://127.0.0.1:5000 EVENTS

Prints what it put there as JSON.
"""

import gzip
import json
import sys
import time

import boto3

ACCOUNT = "123456789012"  # moto's own


def client(name, url):
    return boto3.client(
        name,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def authenticator_line(at, number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    groups = "[system:masters]" if number % 10 == 0 else "[devs]"
    return (
        f'time="{stamp}" level=info msg="access granted" arn="arn:aws:iam::{ACCOUNT}:role/r{number % 5}" '
        f'client="127.0.0.1:{40000 + number % 9}" groups="{groups}" method=POST path=/authenticate '
        f'uid="aws-iam-authenticator:{ACCOUNT}:AROAEXAMPLE{number % 5}" username=u{number % 5}'
    )


def audit_event(at, number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{number % 1000:03d}000Z"
    code = 403 if number % 7 == 0 else 200
    return json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": f"a0000000-0000-4000-8000-{number:012d}",
            "stage": "ResponseComplete",
            "requestURI": "/api/v1/namespaces/dev/pods",
            "verb": "list",
            "user": {"username": f"u{number % 5}", "groups": ["devs", "system:authenticated"]},
            "sourceIPs": ["198.51.100.7"],
            "userAgent": "kubectl/v1.31",
            "objectRef": {"resource": "pods", "namespace": "dev", "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": stamp,
            "stageTimestamp": stamp,
            "annotations": {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow"},
        }
    )


def seed_logs(logs, now, events):
    counts = {}
    for cluster in ("prod", "dev"):
        group = f"/aws/eks/{cluster}/cluster"
        logs.create_log_group(logGroupName=group)
        made = {"authenticator": 0, "audit": 0}
        for half, kind in enumerate(("authenticator", "audit")):
            prefix = "authenticator-" if kind == "authenticator" else "kube-apiserver-audit-"
            for stream in range(2):
                name = f"{prefix}{stream:032x}"
                logs.create_log_stream(logGroupName=group, logStreamName=name)
                batch = []
                for number in range(events):
                    at = now - 3600 + number * 3000 // events
                    make = authenticator_line if half == 0 else audit_event
                    unique = number + stream * events + (events * 2 if cluster == "dev" else 0)
                    batch.append({"timestamp": int(at * 1000) + number % 1000, "message": make(at, unique)})
                batch.sort(key=lambda event: event["timestamp"])
                for start in range(0, len(batch), 2000):
                    logs.put_log_events(
                        logGroupName=group, logStreamName=name, logEvents=batch[start : start + 2000]
                    )
                made[kind] += events
        other = "kube-scheduler-" + "0" * 32
        logs.create_log_stream(logGroupName=group, logStreamName=other)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=other,
            logEvents=[{"timestamp": int(now * 1000) - 5000, "message": "I1123 no log of ours"}],
        )
        counts[cluster] = made
    return counts


def seed_trail(s3, now, records):
    s3.create_bucket(Bucket="trail")
    s3.create_bucket(Bucket="exports")
    put = 0
    for number in range(records):
        at = now - number * 43200
        day = time.strftime("%Y/%m/%d", time.gmtime(at))
        record = {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ana", "userName": "ana"},
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
            "eventSource": "eks.amazonaws.com",
            "eventName": "DescribeCluster",
            "awsRegion": "us-east-1",
            "requestParameters": {"name": "prod"},
            "eventID": f"e0000000-0000-4000-8000-{number:012d}",
            "eventType": "AwsApiCall",
            "recipientAccountId": ACCOUNT,
        }
        key = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{day}/{ACCOUNT}_CloudTrail_us-east-1_{number}.json.gz"
        s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": [record]}).encode()))
        put += 1
    s3.put_object(Bucket="trail", Key=f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/x.json.gz", Body=b"no")
    return put


def seed_principals(iam, eks):
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
    for role in ("r0", "r1", "cluster-role"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    iam.create_user(UserName="ana")
    for cluster in ("prod", "dev"):
        eks.create_cluster(
            name=cluster,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/cluster-role",
            resourcesVpcConfig={"subnetIds": ["subnet-1"]},
        )


def main():
    url, events = sys.argv[1], int(sys.argv[2])
    now = time.time()
    made = {"logs": seed_logs(client("logs", url), now, events), "trail": seed_trail(client("s3", url), now, 120)}
    seed_principals(client("iam", url), client("eks", url))
    print(json.dumps(made))


main()

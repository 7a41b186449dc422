"""Buckets and topics of an emulator, for tests.

    python3 bucket.py URL make BUCKET          makes it, with versions
    python3 bucket.py URL read BUCKET          its objects as JSON: key to size, sha256, type, encryption, and versions by id
    python3 bucket.py URL get BUCKET KEY       an object's content
    python3 bucket.py URL topic                makes a topic that is read by a queue; prints both
    python3 bucket.py URL messages QUEUE       what came to the queue, as JSON
"""

import hashlib
import json
import sys

import boto3

url, verb, *rest = sys.argv[1:]


def client(name):
    return boto3.client(
        name, endpoint_url=url, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


def sha256(body):
    return hashlib.sha256(body).hexdigest()


if verb == "make":
    client("s3").create_bucket(Bucket=rest[0])
    client("s3").put_bucket_versioning(Bucket=rest[0], VersioningConfiguration={"Status": "Enabled"})
elif verb == "read":
    s3, objects = client("s3"), {}
    for version in s3.list_object_versions(Bucket=rest[0]).get("Versions", []):
        found = s3.get_object(Bucket=rest[0], Key=version["Key"], VersionId=version["VersionId"])
        body = found["Body"].read()
        entry = objects.setdefault(version["Key"], {"versions": {}})
        entry["versions"][version["VersionId"]] = sha256(body)
        if version["IsLatest"]:
            entry |= {
                "size": len(body),
                "sha256": sha256(body),
                "type": found["ContentType"],
                "sse": found.get("ServerSideEncryption"),
                "key": found.get("SSEKMSKeyId"),
            }
    print(json.dumps(objects))
elif verb == "get":
    sys.stdout.buffer.write(client("s3").get_object(Bucket=rest[0], Key=rest[1])["Body"].read())
elif verb == "topic":
    topic = client("sns").create_topic(Name="eks-access")["TopicArn"]
    queue = client("sqs").create_queue(QueueName="eks-access")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    print(json.dumps({"topic": topic, "queue": queue}))
elif verb == "messages":
    found = client("sqs").receive_message(QueueUrl=rest[0], MaxNumberOfMessages=10).get("Messages", [])
    print(json.dumps([json.loads(message["Body"]) for message in found]))
else:
    sys.exit(__doc__)

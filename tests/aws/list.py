"""Lists a bucket of an emulator: key and content type, a line each.

    python3 list.py http://127.0.0.1:5000 BUCKET PREFIX
"""

import sys

import boto3

url, bucket, prefix = sys.argv[1:]
s3 = boto3.client(
    "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
)
for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
    head = s3.head_object(Bucket=bucket, Key=item["Key"])
    print(item["Key"], head["ContentType"])

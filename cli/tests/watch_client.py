"""Uploads and looks, as boto3 and the aws command do it. ENDPOINT put FILE KEY | parts FILE KEY | aws FILE KEY | list."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config

endpoint, what, *rest = sys.argv[1:]
keys = {"AWS_ACCESS_KEY_ID": "dropscope", "AWS_SECRET_ACCESS_KEY": "dropscope", "AWS_DEFAULT_REGION": "us-east-1"}
os.environ.update(keys)
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))

if what == "put":
    s3.put_object(Bucket="dropscope", Key=rest[1], Body=Path(rest[0]).read_bytes())
elif what == "parts":
    data, key = Path(rest[0]).read_bytes(), rest[1]
    upload = s3.create_multipart_upload(Bucket="dropscope", Key=key)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(data), 100_000), 1):
        piece = data[start : start + 100_000]
        etag = s3.upload_part(Bucket="dropscope", Key=key, UploadId=upload, PartNumber=number, Body=piece)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    s3.complete_multipart_upload(Bucket="dropscope", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
elif what == "aws":
    aws = [str(Path(sys.executable).parent / "aws"), "--endpoint-url", endpoint, "s3", "cp", "--quiet"]
    subprocess.run([sys.executable, *aws, rest[0], f"s3://dropscope/{rest[1]}"], check=True)
elif what == "list":
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="dropscope", Prefix="results/")
    print(json.dumps([o["Key"] for page in pages for o in page.get("Contents", [])]))

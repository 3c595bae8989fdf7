"""Puts many objects at once, as a lab's upload script does. ENDPOINT; each line of the input is FILE, a tab, KEY."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config

s3 = boto3.client(
    "s3",
    endpoint_url=sys.argv[1],
    aws_access_key_id="dropscope",
    aws_secret_access_key="dropscope",
    region_name="us-east-1",
    config=Config(s3={"addressing_style": "path"}, max_pool_connections=8),
)


def put(line: str) -> None:
    file, key = line.rstrip("\n").split("\t")
    s3.put_object(Bucket="dropscope", Key=key, Body=Path(file).read_bytes())


with ThreadPoolExecutor(8) as pool:
    for _ in pool.map(put, sys.stdin):
        pass

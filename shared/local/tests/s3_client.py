"""What boto3, a client that nobody here wrote, must find at the endpoint given as the first argument."""

import hashlib
import io
import random
import sys
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket = sys.argv[1], "dropscope"


def client(secret="dropscope"):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="dropscope", aws_secret_access_key=secret,
        region_name="us-east-1", config=config,
    )


s3 = client()


def refused(call, **arguments):
    try:
        call(Bucket=bucket, **arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    raise AssertionError(f"{arguments} was not refused")


def body(key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


KEYS = [
    "recordings/ana/day 1/fish+été (2) #3.tif",
    "recordings/ana/$(touch x)'\";&.tif",
    "recordings/bo/100%2B.tif",
    "recordings/bo/" + "long " * 157 + ".tif",
    "recordings/c/../../x.tif",
    "recordings/c//double.tif",
    "recordings/c/\u0001control\n.tif",
    "recordings/c/測試/🐟.tif",
    "recordings/c/",
    "recordings/c",
    "recordings/c/" + "k" * (1024 - 13),
]
some = random.Random(1).randbytes(300_000)

# Objects under any key, whole and in ranges.
for number, key in enumerate(KEYS):
    data = some[number:]
    assert s3.put_object(Bucket=bucket, Key=key, Body=data)["ETag"].strip('"') == hashlib.md5(data).hexdigest(), key
    assert body(key) == data, key
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(data), key
key = KEYS[0]
part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=2-9")
assert part["ResponseMetadata"]["HTTPStatusCode"] == 206 and part["ContentRange"] == "bytes 2-9/300000"
assert part["Body"].read() == some[2:10]
assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=-7")["Body"].read() == some[-7:]
assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=299990-999999")["Body"].read() == some[299990:]
assert refused(s3.get_object, Key=key, Range="bytes=300000-") == (416, "InvalidRange")
assert s3.put_object(Bucket=bucket, Key="recordings/empty", Body=b"")["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
assert body("recordings/empty") == b""

# Listings: every page size gives every key, in byte order; folders are common prefixes.
expected = sorted([*KEYS, "recordings/empty"], key=lambda k: k.encode())
for operation in ("list_objects_v2", "list_objects"):
    for size in (1, 2, 5, 1000):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [o["Key"] for page in pages for o in page["Contents"]] == expected, (operation, size)
    for size in (1, 3, 1000):
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="recordings/", Delimiter="/", PaginationConfig={"PageSize": size})
        found = [(o["Key"], 0) for p in pages for o in p.get("Contents", [])]
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="recordings/", Delimiter="/", PaginationConfig={"PageSize": size})
        found += [(o["Prefix"], 1) for p in pages for o in p.get("CommonPrefixes", [])]
        assert sorted(found) == [("recordings/ana/", 1), ("recordings/bo/", 1), ("recordings/c", 0),
                                 ("recordings/c/", 1), ("recordings/empty", 0)], (operation, size, found)
assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
after = s3.list_objects_v2(Bucket=bucket, StartAfter=expected[3])
assert [o["Key"] for o in after["Contents"]] == expected[4:]
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [bucket]
assert s3.head_bucket(Bucket=bucket) and s3.create_bucket(Bucket=bucket)
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None

# Conditions.
etag = s3.head_object(Bucket=bucket, Key=key)["ETag"]
assert refused(s3.put_object, Key=key, Body=b"x", IfNoneMatch="*") == (412, "PreconditionFailed")
assert refused(s3.put_object, Key=key, Body=b"x", IfMatch='"0"') == (412, "PreconditionFailed")
assert refused(s3.put_object, Key="recordings/none", Body=b"x", IfMatch=etag) == (404, "NoSuchKey")
assert s3.put_object(Bucket=bucket, Key=key, Body=some, IfMatch=etag)["ETag"] == etag
assert s3.put_object(Bucket=bucket, Key="recordings/new", Body=b"x", IfNoneMatch="*")
assert refused(s3.get_object, Key=key, IfNoneMatch=etag)[0] == 304
assert refused(s3.get_object, Key=key, IfMatch='"0"') == (412, "PreconditionFailed")
assert s3.get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"].read() == some
written = s3.head_object(Bucket=bucket, Key=key)["LastModified"]
assert refused(s3.get_object, Key=key, IfModifiedSince=written)[0] == 304
assert s3.get_object(Bucket=bucket, Key=key, IfUnmodifiedSince=written)["Body"].read() == some

# What was promised of the bytes is held against them.
assert refused(s3.put_object, Key="recordings/bad", Body=b"abc", ContentMD5="A" * 22 + "==") == (400, "BadDigest")
assert refused(s3.put_object, Key="recordings/bad", Body=b"abc", ChecksumCRC32="AAAAAA==") == (400, "BadDigest")
assert refused(s3.head_object, Key="recordings/bad")[0] == 404
for algorithm in ("CRC32", "SHA1", "SHA256"):
    assert s3.put_object(Bucket=bucket, Key="recordings/sum", Body=b"abc", ChecksumAlgorithm=algorithm)[f"Checksum{algorithm}"]

# Who may write where, and who may not at all.
for foreign in ("results/x", "state/jobs/x.json", "mail/x.eml", ".dropscope/x", "x", "recording/x"):
    assert refused(s3.put_object, Key=foreign, Body=b"x") == (403, "AccessDenied"), foreign
    assert refused(s3.create_multipart_upload, Key=foreign) == (403, "AccessDenied"), foreign
    assert refused(s3.delete_object, Key=foreign) == (403, "AccessDenied"), foreign
    assert refused(s3.copy_object, Key=foreign, CopySource={"Bucket": bucket, "Key": key}) == (403, "AccessDenied"), foreign
assert refused(client("wrong").list_objects_v2) == (403, "SignatureDoesNotMatch")
try:
    urllib.request.urlopen(f"{endpoint}/{bucket}/recordings/new")
    raise AssertionError("a request without a signature was answered")
except urllib.error.HTTPError as error:
    assert error.code == 403
link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
assert urllib.request.urlopen(link).read() == some

# Copies and removals.
s3.copy_object(Bucket=bucket, Key="recordings/copy +é", CopySource={"Bucket": bucket, "Key": key})
assert body("recordings/copy +é") == some
gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "recordings/copy +é"}, {"Key": "state/x"}]})
assert [d["Key"] for d in gone["Deleted"]] == ["recordings/copy +é"] and gone["Errors"][0]["Code"] == "AccessDenied"
assert refused(s3.head_object, Key="recordings/copy +é")[0] == 404
s3.delete_object(Bucket=bucket, Key="recordings/copy +é")

# Uploads in parts.
big, small_parts = some * 50, TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_fileobj(io.BytesIO(big), bucket, "recordings/big.tif", Config=small_parts)
assert s3.head_object(Bucket=bucket, Key="recordings/big.tif")["ETag"].endswith('-3"')
back = io.BytesIO()
s3.download_fileobj(bucket, "recordings/big.tif", back, Config=small_parts)
assert back.getvalue() == big
upload = {"Key": "recordings/parts.tif", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="recordings/parts.tif")["UploadId"]}
assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["recordings/parts.tif"]
first = s3.upload_part(Bucket=bucket, PartNumber=1, Body=some[:1000], **upload)["ETag"]
second = s3.upload_part_copy(
    Bucket=bucket, PartNumber=2, CopySource={"Bucket": bucket, "Key": key}, CopySourceRange="bytes=1000-299999", **upload,
)["CopyPartResult"]["ETag"]
listed = s3.list_parts(Bucket=bucket, **upload)["Parts"]
assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [(1, 1000, first), (2, 299_000, second)]


def parts(*numbered):
    return {"MultipartUpload": {"Parts": [{"PartNumber": n, "ETag": e} for n, e in numbered]}}


finish = s3.complete_multipart_upload
assert refused(finish, **upload, **parts((2, second), (1, first))) == (400, "InvalidPartOrder")
assert refused(finish, **upload, **parts((1, second))) == (400, "InvalidPart")
assert refused(finish, **upload, **parts((1, first), (3, second))) == (400, "InvalidPart")
assert refused(finish, **upload, **parts((1, first), (2, second)), IfMatch='"0"') == (404, "NoSuchKey")
joined = finish(Bucket=bucket, **upload, **parts((1, first), (2, second)), IfNoneMatch="*")["ETag"]
digests = b"".join(bytes.fromhex(e.strip('"')) for e in (first, second))
assert joined.strip('"') == hashlib.md5(digests).hexdigest() + "-2"
assert body("recordings/parts.tif") == some
# The answer of a completion may be lost: it may be asked for again.
assert finish(Bucket=bucket, **upload, **parts((1, first), (2, second)))["ETag"] == joined
assert refused(s3.upload_part, PartNumber=1, Body=b"x", **upload) == (404, "NoSuchUpload")
upload["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key="recordings/parts.tif")["UploadId"]
s3.abort_multipart_upload(Bucket=bucket, **upload)
assert refused(s3.abort_multipart_upload, **upload) == (404, "NoSuchUpload")
assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
print("as S3 does")

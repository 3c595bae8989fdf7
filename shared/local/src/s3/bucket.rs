//! The operations of S3 that are answered here; all others are `NotImplemented`.

use super::errors::{ours, said};
use super::rights::Rights;
use super::{list, multipart, read, write};
use crate::store::LocalStore;
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Uploads and copies that are taken in at a time; more wait, and their bytes wait with their senders.
const AT_ONCE: usize = 48;

/// One bucket, as `s3s` asks for it.
pub(super) struct Bucket {
    store: LocalStore,
    rights: Rights,
    writes: Arc<Semaphore>,
}

impl Bucket {
    pub(super) fn new(store: LocalStore, rights: Rights) -> Self {
        Self { store, rights, writes: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    fn ours(&self, asked: &str) -> S3Result<()> {
        ours(asked, self.store.bucket())
    }

    async fn turn(&self) -> S3Result<SemaphorePermit<'_>> {
        self.writes.acquire().await.map_err(S3Error::internal_error)
    }
}

fn done<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.ours(&request.input.bucket)?;
        done(read::get(&self.store, request.input).await?)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.ours(&request.input.bucket)?;
        done(read::head(&self.store, request.input).await?)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.ours(&request.input.bucket)?;
        let _turn = self.turn().await?;
        done(write::put(&self.store, self.rights, request).await?)
    }

    async fn post_object(&self, _: S3Request<PostObjectInput>) -> S3Result<S3Response<PostObjectOutput>> {
        // A form's file would have to be held in memory whole.
        Err(said(S3ErrorCode::NotImplemented, "uploads by form are not taken: use PUT"))
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        self.ours(&request.input.bucket)?;
        let _turn = self.turn().await?;
        done(write::copy(&self.store, self.rights, request.input).await?)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.ours(&request.input.bucket)?;
        write::delete(&self.store, self.rights, &request.input.key).await?;
        done(DeleteObjectOutput::default())
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.ours(&request.input.bucket)?;
        done(write::delete_all(&self.store, self.rights, request.input).await?)
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        self.ours(&request.input.bucket)?;
        done(list::first(&self.store, request.input).await?)
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.ours(&request.input.bucket)?;
        done(list::second(&self.store, request.input).await?)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.ours(&request.input.bucket)?;
        done(multipart::create(&self.store, self.rights, request.input).await?)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.ours(&request.input.bucket)?;
        let _turn = self.turn().await?;
        done(multipart::put_part(&self.store, self.rights, request).await?)
    }

    async fn upload_part_copy(&self, request: S3Request<UploadPartCopyInput>) -> S3Result<S3Response<UploadPartCopyOutput>> {
        self.ours(&request.input.bucket)?;
        let _turn = self.turn().await?;
        done(multipart::copy_part(&self.store, self.rights, request.input).await?)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.ours(&request.input.bucket)?;
        let _turn = self.turn().await?;
        done(multipart::complete(&self.store, self.rights, request.input).await?)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.ours(&request.input.bucket)?;
        multipart::abort(&self.store, &request.input.key, &request.input.upload_id).await?;
        done(AbortMultipartUploadOutput::default())
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        self.ours(&request.input.bucket)?;
        done(multipart::parts(&self.store, request.input).await?)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.ours(&request.input.bucket)?;
        done(list::uploads(&self.store, request.input).await?)
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.ours(&request.input.bucket)?;
        done(HeadBucketOutput::default())
    }

    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        if request.input.bucket != self.store.bucket() {
            let message = format!("there is one bucket here, `{}`", self.store.bucket());
            return Err(said(S3ErrorCode::AccessDenied, message));
        }
        let location = Some(format!("/{}", request.input.bucket));
        done(CreateBucketOutput { location })
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = s3s::dto::Bucket { name: Some(self.store.bucket().to_owned()), ..s3s::dto::Bucket::default() };
        done(ListBucketsOutput { buckets: Some(vec![bucket]), ..ListBucketsOutput::default() })
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.ours(&request.input.bucket)?;
        // No name of a region is S3's own way to say us-east-1.
        done(GetBucketLocationOutput::default())
    }
}

import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import type { OptionNames } from '@ivcap/core/internal'
import { BUCKET_OPTIONS, type BucketOptions, MiB, type PartLimits } from '@ivcap/storage-common'

export interface S3Options extends BucketOptions {
  /**
   * Your own client, which you must destroy yourself. The four options below are then ignored, except that an `endpoint` of AWS
   * states that the client uses AWS. Set its `maxAttempts` to 1, because its own attempts multiply with `retries`.
   */
  readonly client?: S3Client | undefined
  /** @default as the SDK finds it (`AWS_REGION`, profile); `us-east-1` for other servers than AWS's */
  readonly region?: string | undefined
  /** URL of a server other than AWS. @default `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else AWS */
  readonly endpoint?: string | undefined
  /** Puts the bucket into the path of URLs instead of the host name. @default false for AWS, true for other servers */
  readonly forcePathStyle?: boolean | undefined
  /** @default as the SDK finds them: environment, profile, the machine's role */
  readonly credentials?: S3ClientConfig['credentials'] | undefined
  /** Bytes per part of uploads and downloads, 5 MiB to 5 GiB. @default 8 MiB */
  readonly partSize?: number | undefined
}

export const OPTIONS: OptionNames<S3Options> = {
  ...BUCKET_OPTIONS,
  client: true,
  region: true,
  endpoint: true,
  forcePathStyle: true,
  credentials: true,
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PARTS: PartLimits = { least: 5 * MiB, most: 5 * 1024 * MiB, unit: 1, count: 10_000 }

import type { Benchmark } from './benchmark.js'

/** Loaded one at a time, so that one benchmark's imports are not another's memory. */
export const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'upload-file': async () => (await import('./tasks/upload-file.js')).uploadFile,
  'upload-stream': async () => (await import('./tasks/upload-stream.js')).uploadStream,
  read: async () => (await import('./tasks/read.js')).read,
  'local-download': async () => (await import('./tasks/local-download.js')).localDownload,
  'local-small-files': async () => (await import('./tasks/local-small-files.js')).localSmallFiles,
  'local-small-download': async () => (await import('./tasks/local-small-download.js')).localSmallDownload,
  'unchanged-file': async () => (await import('./tasks/unchanged-file.js')).unchangedFile,
  import: async () => (await import('./tasks/import-time.js')).importTime,
  'bundle-size': async () => (await import('./tasks/bundle-size.js')).bundleSize,
  'client-overhead': async () => (await import('./tasks/client-overhead.js')).clientOverhead,
  'in-memory': async () => (await import('./tasks/in-memory.js')).inMemory,
  'content-path': async () => (await import('./tasks/content-path.js')).contentPath,
  'local-aspects': async () => (await import('./tasks/local-aspects.js')).localAspects,
  'local-aspects-add': async () => (await import('./tasks/local-aspects-add.js')).localAspectsAdd,
  'aspects-by-size': async () => (await import('./tasks/aspects-by-size.js')).aspectsBySize,
  memory: async () => (await import('./tasks/memory.js')).memory,
  'platform-upload': async () => (await import('./tasks/platform-upload.js')).platformUpload,
  'platform-download': async () => (await import('./tasks/platform-download.js')).platformDownload,
  'platform-known-file': async () => (await import('./tasks/platform-known-file.js')).platformKnownFile,
  'platform-known-files': async () => (await import('./tasks/platform-known-files.js')).platformKnownFiles,
  'platform-small-files': async () => (await import('./tasks/platform-small-files.js')).platformSmallFiles,
  'platform-small-download': async () =>
    (await import('./tasks/platform-small-download.js')).platformSmallDownload,
  's3-upload': async () => (await import('./tasks/s3-upload.js')).s3Upload,
  's3-download': async () => (await import('./tasks/s3-download.js')).s3Download,
  'gcs-upload': async () => (await import('./tasks/gcs-upload.js')).gcsUpload,
  'gcs-download': async () => (await import('./tasks/gcs-download.js')).gcsDownload,
  's3-small': async () => (await import('./tasks/s3-small.js')).s3Small,
  'gcs-small': async () => (await import('./tasks/gcs-small.js')).gcsSmall,
}

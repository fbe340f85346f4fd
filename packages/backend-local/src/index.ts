export { type FileBlobsOptions, fileBlobs } from './file-blobs.js'
export { type LocalBackendOptions, localBackend } from './local-backend.js'
export type { LocalDirEntry, LocalFileHandle, LocalFs, LocalStat } from './local-fs.js'

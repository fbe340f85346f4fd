export type { Layout as LocalLayout } from './artifacts/names.js'
export { type FileBlobsOptions, fileBlobs } from './blobs/file-blobs.js'
export type { LocalDirEntry, LocalFileHandle, LocalFs, LocalStat } from './fs/local-fs.js'
export { type LocalBackendOptions, localBackend } from './local-backend.js'

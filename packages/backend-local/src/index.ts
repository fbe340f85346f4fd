export { type FileBlobsOptions, fileBlobs } from './file-blobs.js'
export type { LocalDirEntry, LocalFileHandle, LocalFs, LocalStat } from './local-fs.js'

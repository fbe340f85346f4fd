import type { Benchmark } from './benchmark.js'

/** Loaded one at a time, so that one benchmark's imports are not another's memory. */
export const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'upload-file': async () => (await import('./tasks/upload-file.js')).uploadFile,
  'upload-stream': async () => (await import('./tasks/upload-stream.js')).uploadStream,
  read: async () => (await import('./tasks/read.js')).read,
  'unchanged-file': async () => (await import('./tasks/unchanged-file.js')).unchangedFile,
  import: async () => (await import('./tasks/import-time.js')).importTime,
  'get-artifact': async () => (await import('./tasks/get-artifact.js')).getArtifact,
}

// The program of a worker thread where nothing is built: a thread has hooks of its own.
await import('./from-sources.mjs')
await import('../src/services/job-worker.ts')

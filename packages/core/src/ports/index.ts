/**
 * The ports: what a backend implements. The client in front of them validates input, fills defaults, follows pages,
 * merges timeout and signal, and wraps errors once; a driver gets complete, valid input and says so in its doc comment.
 */
export * from './artifact-store.js'
export * from './aspect-store.js'
export * from './backend.js'
export * from './blob-store.js'
export * from './byte-source.js'
export * from './operation.js'
export * from './service-store.js'

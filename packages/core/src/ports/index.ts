/**
 * The ports: the interfaces that a backend implements. The client validates input, fills in defaults, follows pages, merges timeout
 * and signal, and wraps errors once. So a driver gets complete and valid input, and its doc comments may rely on that.
 */
export * from './artifact-store.js'
export * from './aspect-store.js'
export * from './backend.js'
export * from './blob-store.js'
export * from './byte-source.js'
export * from './operation.js'
export * from './service-store.js'

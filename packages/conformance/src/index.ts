/** The test suite that every backend and every blob store must pass, and blob stores with simulated faults. */

export { type Area, artifactAreas, type DescribeOptions, describeBackend } from './describe-backend.js'
export { describeBlobStore } from './describe-blob-store.js'
export { type CostOptions, describeCosts } from './describe-costs.js'
export { describeRaces, type RaceOptions } from './describe-races.js'
export { describeFaults } from './faults/describe-faults.js'
export {
  type FailedRound,
  type FaultSimulationOptions,
  type FaultSimulationReport,
  type FaultyPlace,
  runFaults,
  type Writer,
  writerTo,
} from './faults/fault-simulation.js'
export { type FaultOptions, type FaultyBlobs, faultyBlobs } from './faults/faulty-blobs.js'
export { interruptedBlobs } from './faults/interrupted-blobs.js'
export { jumpingClock } from './faults/jumping-clock.js'
export { randomOf } from './faults/random.js'
export { retryingBlobs } from './faults/retrying-blobs.js'
export { inFolder } from './folder-harness.js'
export * from './harness.js'
export { testServices } from './support/services.js'

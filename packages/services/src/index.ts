/** `@ivcap/services`: services that are functions of this process, over any backend. */

export { type Outcome, runFunction } from './call.js'
export {
  defineService,
  type FunctionParameter,
  type FunctionService,
  type JobContext,
  type JobParameters,
  type ParametersOf,
  type ParameterValue,
} from './definition.js'
export {
  type ExecuteJob,
  type FunctionServicesOptions,
  functionServices,
  servicesForJob,
} from './function-services.js'
export type { WithoutPermit } from './semaphore.js'

/** `@ivcap/core/services`: services that are functions of this process, over any backend. */

export {
  defineService,
  type FunctionParameter,
  type FunctionService,
  type JobContext,
  type JobParameters,
  type ParametersOf,
  type ParameterValue,
} from './definition.js'
export { type FunctionServicesOptions, functionServices } from './function-services.js'

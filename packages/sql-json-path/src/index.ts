/** PostgreSQL's SQL/JSON path language: parser and evaluator. */
export type { Budget, Work } from './budget.js'
export { SqlJsonPathError, type SqlJsonPathErrorReason } from './errors.js'
export { compile, type EvaluationOptions, SqlJsonPath } from './path.js'
export type { JsonObject, JsonValue } from './tree.js'

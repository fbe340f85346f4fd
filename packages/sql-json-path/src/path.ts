import { type Budget, StepLimit, type Work } from './budget.js'
import { compileExistence, compileSelection } from './compiler.js'
import { Decimal } from './numbers/decimal.js'
import { type ParsedPath, parse } from './parser.js'
import { Evaluation } from './stages.js'
import type { Item, JsonObject, JsonValue } from './tree.js'

export interface EvaluationOptions {
  /**
   * Steps that the evaluation may take; a step takes about 100 ns.
   *
   * @default 10_000_000
   */
  readonly maxSteps?: number
  /** Additional members of the document's root object; its own members override them. @default none */
  readonly extraMembers?: JsonObject | undefined
}

const MAX_STEPS = 10_000_000
/** Maximum number of machines that are kept between evaluations. */
const MAX_IDLE = 4

/**
 * Compiles a path once, for any number of documents.
 *
 * @param text a path in PostgreSQL's SQL/JSON path language, of at most 10,000 characters
 * @throws SqlJsonPathError `syntax` if the text is not a path; `unsupported` for variables, methods of dates and times, and
 * regular expressions that can't be matched in linear time; `too-large` or `too-deep` if a limit is exceeded
 * @example
 * const large = compile('$.images[*] ? (@.size > 10000)')
 * large.exists({ images: [{ name: 'a.png', size: 20000 }] }) // true
 */
export function compile(text: string): SqlJsonPath {
  return new SqlJsonPath(text)
}

/** A compiled path. Evaluations may run at the same time. */
export class SqlJsonPath {
  readonly text: string
  readonly #parsed: ParsedPath
  /** Machines that no evaluation uses. A paused evaluation keeps its machine. */
  readonly #idle: Machine[]

  /** See `compile`. */
  constructor(text: string) {
    this.text = text
    this.#parsed = parse(text)
    this.#idle = [new Machine(this.#parsed)]
  }

  /**
   * Whether the path finds anything, like `jsonb_path_exists(document, path, silent => true)` in PostgreSQL. Does not pause.
   *
   * @throws SqlJsonPathError `too-expensive`, `too-deep`
   */
  exists(document: JsonValue, { maxSteps = MAX_STEPS, extraMembers }: EvaluationOptions = {}): boolean {
    return finish(this.existsWithin(new StepLimit(maxSteps), document, extraMembers))
  }

  /**
   * Like `exists`, but pauses when the budget requires it. Returns the result if no pause was necessary, otherwise the remaining
   * work. The document must not change until the work has ended.
   *
   * @throws SqlJsonPathError `too-deep`, and the errors of the budget. The returned work throws the same errors.
   */
  existsWithin(budget: Budget, document: JsonValue, extraMembers?: JsonObject): boolean | Work<boolean> {
    const machine = this.#idle.pop() ?? new Machine(this.#parsed)
    machine.evaluation.begin(document, extraMembers, budget)
    const found = machine.exists(document)
    return found === 'paused' ? this.#continue(machine, document) : this.#end(machine, found)
  }

  /**
   * Returns the items that the path finds, like `jsonb_path_query(document, path, silent => true)` in PostgreSQL. If an error
   * occurs, returns the items before it. Computed numbers are rounded to doubles. Does not pause.
   *
   * @throws SqlJsonPathError `too-expensive`, `too-deep`
   */
  select(document: JsonValue, { maxSteps = MAX_STEPS, extraMembers }: EvaluationOptions = {}): JsonValue[] {
    const evaluation = new Evaluation()
    evaluation.begin(document, extraMembers, new StepLimit(maxSteps))
    const items: JsonValue[] = []
    compileSelection(this.#parsed, evaluation, (item) => {
      items.push(jsonOf(item))
      return 'more'
    })(document)
    return items
  }

  *#continue(machine: Machine, document: JsonValue): Work<boolean> {
    for (;;) {
      yield
      const found = machine.exists(document)
      if (found !== 'paused') return this.#end(machine, found)
    }
  }

  /** A machine whose evaluation threw is not used again. */
  #end(machine: Machine, found: boolean | null): boolean {
    machine.evaluation.end()
    if (this.#idle.length < MAX_IDLE) this.#idle.push(machine)
    return found === true
  }
}

/** A compiled path with the state of one evaluation. */
class Machine {
  readonly evaluation = new Evaluation()
  readonly exists: ReturnType<typeof compileExistence>

  constructor(parsed: ParsedPath) {
    this.exists = compileExistence(parsed, this.evaluation)
  }
}

/** Returns the result of work under a step limit, which never requires a pause. */
function finish(outcome: boolean | Work<boolean>): boolean {
  if (typeof outcome === 'boolean') return outcome
  for (;;) {
    const { done, value } = outcome.next()
    if (done) return value
  }
}

const jsonOf = (item: Item): JsonValue => (item instanceof Decimal ? Number(String(item)) : item)

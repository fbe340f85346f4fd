/** Matches regular expressions: simulates all states of an automaton at once, so that the time is linear in the text. */
import type { Budget, Work } from '../budget.js'
import { SqlJsonPathError } from '../errors.js'
import type { TextTest } from '../tree.js'
import type { CharSet } from './char-sets.js'
import { type Boundary, type Regex, type RegexFlags, RegexReader, readLiteral, readRegex } from './parser.js'

/** Maximum number of states of all regular expressions of one path. */
const MAX_STATES = 5000
/** Visits of states between two calls of the budget, and visits that count as one step. */
const VISITS_PER_LOOK = 1024
const VISITS_PER_STEP = 4

type State =
  | { readonly type: 'set'; readonly has: CharSet }
  | { readonly type: 'between'; readonly holds: Boundary }
  | { readonly type: 'fork'; readonly to: number[] }
  | { readonly type: 'match' }

/**
 * @param at offset of the pattern in the path
 * @param others counts the states of the path's regular expressions; those of this one are added
 * @throws SqlJsonPathError `syntax`, `unsupported`, `too-large`
 */
export function regexTest(pattern: string, flags: string, at: number, others: { states: number }): TextTest {
  const [unknown] = flags.replace(/[ismqx]/g, '')
  const reader = new RegexReader(pattern, at)
  if (unknown !== undefined) throw reader.wrong(`there is no flag ${unknown}: use i, s, m or q`)
  const literal = flags.includes('q')
  if (flags.includes('x') && !literal)
    throw reader.unsupported('the flag x', 'write the pattern without blanks')
  const options: RegexFlags = {
    ignoreCase: flags.includes('i'),
    lines: flags.includes('m'),
    dotAll: flags.includes('s'),
  }
  const regex = literal ? readLiteral(reader, options) : readRegex(reader, options)
  const states = automaton(regex, MAX_STATES - others.states, at)
  others.states += states.length
  return (text, budget) => run(states, text, budget)
}

/** Builds the automaton. The successor of a state is the next one in the list; the successors of a fork are the states in `to`. */
function automaton(regex: Regex, most: number, position: number): readonly State[] {
  const states: State[] = []
  add(regex)
  states.push({ type: 'match' })
  return states

  function add(part: Regex): void {
    if (states.length > most)
      throw new SqlJsonPathError(
        'too-large',
        'the path has a regular expression with too many repetitions',
        position,
      )
    switch (part.type) {
      case 'sequence':
        part.parts.forEach(add)
        break
      case 'choice':
        choose(part.parts)
        break
      case 'repeat':
        repeat(part)
        break
      default:
        states.push(part)
    }
  }

  function fork(...to: number[]): number[] {
    states.push({ type: 'fork', to })
    return to
  }

  function choose(parts: readonly Regex[]): void {
    const starts = fork()
    const ends = parts.map((part) => {
      starts.push(states.length)
      add(part)
      return fork()
    })
    for (const end of ends) end.push(states.length)
  }

  function repeat({ part, min, max }: Regex & { type: 'repeat' }): void {
    for (let i = 0; i < min; i++) add(part)
    if (max === Number.POSITIVE_INFINITY) {
      const start = states.length
      const ways = fork(start + 1)
      add(part)
      fork(start)
      ways.push(states.length)
      return
    }
    const exits: number[][] = []
    for (let i = min; i < max; i++) {
      exits.push(fork(states.length + 1))
      add(part)
    }
    for (const exit of exits) exit.push(states.length)
  }
}

/** Whether the automaton matches anywhere in the text. */
function* run(states: readonly State[], text: string, budget: Budget): Work<boolean> {
  const seenAt = new Int32Array(states.length).fill(-1)
  let entered: number[] = []
  let visits = 0
  let before: number | undefined
  for (let i = 0; i <= text.length; i += before !== undefined && before > 0xffff ? 2 : 1) {
    const after = text.codePointAt(i)
    const next: number[] = []
    entered.push(0)
    for (let at = entered.pop(); at !== undefined; at = entered.pop()) {
      if (seenAt[at] === i) continue
      seenAt[at] = i
      visits += 1
      const state = states[at]
      if (state?.type === 'match') return true
      if (state?.type === 'fork') entered.push(...state.to)
      else if (state?.type === 'between' && state.holds(before, after)) entered.push(at + 1)
      else if (state?.type === 'set' && after !== undefined && state.has(after)) next.push(at + 1)
    }
    if (visits > VISITS_PER_LOOK) {
      if (budget.spend(visits / VISITS_PER_STEP)) yield
      visits = 0
    }
    before = after
    entered = next
  }
  return false
}

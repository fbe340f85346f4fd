import type { Budget, Work } from './budget.js'
import type { Decimal, Operator } from './numbers/decimal.js'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** A value that a path works on: JSON, or a computed number as an exact decimal. */
export type Item = JsonValue | Decimal

/** The first step returns an item (`$`, a literal, a calculation); each further step handles the items of the step before. */
export type Path = readonly Step[]

export type Step =
  | { readonly type: 'root' | 'current' | 'last' | 'anyKey' | 'anyItem' | 'size' | 'keyvalue' }
  | { readonly type: 'literal'; readonly value: Item }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'index'; readonly subscripts: readonly Subscript[] }
  /** `.**`: levels below the item; 0 is the item itself, Infinity is `last`. */
  | { readonly type: 'descend'; readonly first: number; readonly last: number }
  | { readonly type: 'filter'; readonly condition: Predicate }
  | { readonly type: 'convert'; readonly method: Conversion; readonly args: readonly number[] }
  | { readonly type: 'sign'; readonly negative: boolean; readonly operand: Path }
  | { readonly type: 'arithmetic'; readonly operator: Operator; readonly left: Path; readonly right: Path }
  | { readonly type: 'predicate'; readonly predicate: Predicate }

export interface Subscript {
  readonly from: Path
  readonly to?: Path
}

/** Methods that convert one item into one item. */
export type Conversion =
  | 'abs'
  | 'bigint'
  | 'boolean'
  | 'ceiling'
  | 'decimal'
  | 'double'
  | 'floor'
  | 'integer'
  | 'number'
  | 'string'
  | 'type'
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

export type Predicate =
  | { readonly type: 'and' | 'or'; readonly left: Predicate; readonly right: Predicate }
  | { readonly type: 'not' | 'isUnknown'; readonly of: Predicate }
  | { readonly type: 'exists'; readonly path: Path }
  | { readonly type: 'compare'; readonly operator: Comparison; readonly left: Path; readonly right: Path }
  | { readonly type: 'startsWith'; readonly text: Path; readonly start: string }
  | { readonly type: 'likeRegex'; readonly text: Path; readonly matches: TextTest }

export type TextTest = (text: string, budget: Budget) => Work<boolean>

/** True, false, or unknown (null). */
export type Truth = boolean | null

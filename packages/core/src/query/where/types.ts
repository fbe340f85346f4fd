import type { JsonValue } from '../../model/json.js'

type JsonPrimitive = string | number | boolean | null

/**
 * Conditions on the content of an aspect; all of them must hold. A key is a field or a path to one: dots lead into objects, and
 * into the objects of arrays. A segment in double quotes may contain any characters: `'"a.b".c'`. The keys `and`, `or` and `not`
 * combine conditions; a field with one of these names must be quoted.
 *
 * A condition on an array applies to each of its elements: `{ tags: 'coral' }` matches `tags: ['reef', 'coral']`.
 *
 * @template T the type of the content, which determines the fields and operators
 */
export type Where<T = unknown> = unknown extends T ? WhereAny : WhereOf<T>

interface WhereAny {
  readonly and?: readonly WhereAny[]
  readonly or?: readonly WhereAny[]
  readonly not?: WhereAny
  /** The key is the path of the field. */
  readonly [path: string]: Condition<JsonValue> | WhereAny | readonly WhereAny[] | undefined
}

type WhereOf<T> = { readonly [P in PathOf<T>]?: Condition<ValueAt<T, P>> } & {
  readonly and?: readonly WhereOf<T>[]
  readonly or?: readonly WhereOf<T>[]
  /** Also matches contents without the fields, or with values of another type. */
  readonly not?: WhereOf<T>
}

/** A value that the field must equal, or operators that must all hold. */
export type Condition<V = unknown> = Extract<V, JsonPrimitive> | Operators<V>

export type Operators<V = unknown> = Equality<V> & Ordering<V> & Texts<V>

interface Equality<V> {
  readonly eq?: Extract<V, JsonPrimitive>
  /** The field has a value, and no value is equal. */
  readonly ne?: Extract<V, JsonPrimitive>
  /** Must not be empty. */
  readonly in?: readonly Extract<V, JsonPrimitive>[]
  readonly exists?: boolean
}

/** Numbers compare by value, texts by code point. Never true of a value of another type. */
type Ordering<V> =
  Extract<V, number | string> extends never
    ? unknown
    : {
        readonly gt?: Extract<V, number | string>
        readonly gte?: Extract<V, number | string>
        readonly lt?: Extract<V, number | string>
        readonly lte?: Extract<V, number | string>
      }

type Texts<V> =
  Extract<V, string> extends never
    ? unknown
    : {
        readonly startsWith?: string
        /** An SQL LIKE pattern for the whole text: `%` matches any text, `_` one character, `\` escapes the next one. */
        readonly like?: string
        /** A regular expression that matches any part of the text, in the syntax of PostgreSQL's `like_regex`. */
        readonly matches?: string
        /** For `matches`: `i` ignores case; `s`: `.` matches line breaks; `m`: `^` and `$` match at them; `q` is literal. */
        readonly flags?: string
      }

/** Levels of objects for which paths are typed. Deeper ones would take the compiler too long. */
type Levels = [never, 0, 1, 2, 3]

/** The fields of a content, and the paths to fields of its objects. */
type PathOf<T, L extends number = 4> = unknown extends T
  ? string
  : T extends readonly (infer E)[]
    ? PathOf<E, L>
    : T extends object
      ? {
          [K in keyof T & string]-?:
            | K
            | (L extends 0 ? never : Below<K, PathOf<NonNullable<T[K]>, Levels[L]>>)
        }[keyof T & string]
      : never

type Below<K extends string, P> = P extends string ? `${K}.${P}` : never

/** The type of the value at a path. An array has the type of its elements. */
type ValueAt<T, P extends string> = unknown extends T
  ? JsonValue
  : T extends readonly (infer E)[]
    ? ValueAt<E, P>
    : P extends keyof T
      ? Element<T[P]>
      : P extends `${infer K}.${infer R}`
        ? K extends keyof T
          ? ValueAt<NonNullable<T[K]>, R>
          : never
        : never

type Element<V> = V extends readonly (infer E)[] ? E : V

import type { JsonValue } from '../../model/json.js'

type JsonPrimitive = string | number | boolean | null

/**
 * Conditions on the content of an aspect: all of them must hold. A key is a field, or a path to one: dots lead into objects, and into
 * the objects of arrays. A segment in double quotes may hold any characters: `'"a.b".c'`. The keys `and`, `or` and `not` combine
 * conditions; a field of such a name is written in quotes.
 *
 * A value that is an array counts as each of its elements: `{ tags: 'coral' }` finds `tags: ['reef', 'coral']`.
 *
 * @template T the type of the content, which decides what fields and operators there are
 */
export type Where<T = unknown> = unknown extends T ? WhereAny : WhereOf<T>

interface WhereAny {
  readonly and?: readonly WhereAny[]
  readonly or?: readonly WhereAny[]
  readonly not?: WhereAny
  /** By the path of the field. */
  readonly [path: string]: Condition<JsonValue> | WhereAny | readonly WhereAny[] | undefined
}

type WhereOf<T> = { readonly [P in PathOf<T>]?: Condition<ValueAt<T, P>> } & {
  readonly and?: readonly WhereOf<T>[]
  readonly or?: readonly WhereOf<T>[]
  /** Also true of contents without the fields, or with values of another type. */
  readonly not?: WhereOf<T>
}

/** A value that the field must have, or operators that must all be true of it. */
export type Condition<V = unknown> = Extract<V, JsonPrimitive> | Operators<V>

export type Operators<V = unknown> = Equality<V> & Ordering<V> & Texts<V>

interface Equality<V> {
  readonly eq?: Extract<V, JsonPrimitive>
  /** There is a value, and none is equal. */
  readonly ne?: Extract<V, JsonPrimitive>
  /** Not empty. */
  readonly in?: readonly Extract<V, JsonPrimitive>[]
  readonly exists?: boolean
}

/** Numbers by value, texts by code point. Never true of a value of another type. */
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
        /** A pattern of SQL for the whole text: `%` is any text, `_` one character, `\` takes the next one as it is. */
        readonly like?: string
        /** A regular expression for any part of the text, as `like_regex` of PostgreSQL takes them. */
        readonly matches?: string
        /** Of `matches`: `i` ignores case, `s` lets `.` match line breaks, `m` lets `^` and `$` match at them, `q` takes it literally. */
        readonly flags?: string
      }

/** Levels of objects that paths are typed for: deeper ones would take the compiler too long. */
type Levels = [never, 0, 1, 2, 3]

/** The fields of a content, and the paths to fields of its objects. */
export type PathOf<T, L extends number = 4> = unknown extends T
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

/** The type of what a path leads to; an array counts as its elements. */
export type ValueAt<T, P extends string> = unknown extends T
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

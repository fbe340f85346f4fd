import { createHash } from 'node:crypto'
import ts from 'typescript'

/**
 * A change of one place in a file that its tests should notice.
 *
 * @typedef {object} Mutation
 * @property {'condition' | 'boundary' | 'comparison' | 'logic' | 'await' | 'statement' | 'member'} kind
 * @property {number} start offset of the first character that is replaced
 * @property {number} end offset behind the last one
 * @property {string} before
 * @property {string} after
 * @property {number} line from 1
 */

const { SyntaxKind } = ts

/** @type {ReadonlyMap<ts.SyntaxKind, string>} */
const boundaries = new Map([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
])
/** @type {ReadonlyMap<ts.SyntaxKind, string>} */
const comparisons = new Map([
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
])
/** @type {ReadonlyMap<ts.SyntaxKind, string>} */
const logic = new Map([
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
])

/**
 * Returns all mutations of a TypeScript source, in the order of their positions. A mutation negates a condition, moves the boundary
 * of a comparison, swaps `===` and `!==` or `&&` and `||`, or drops an `await`, a statement or a member of an object literal.
 *
 * @param {string} source
 * @returns {readonly Mutation[]}
 */
export function mutationsOf(source) {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true)
  /** @type {Mutation[]} */
  const found = []

  /** @param {Mutation['kind']} kind @param {number} start @param {number} end @param {string} after */
  const add = (kind, start, end, after) => {
    const line = file.getLineAndCharacterOfPosition(start).line + 1
    found.push({ kind, start, end, before: source.slice(start, end), after, line })
  }
  /** @param {Mutation['kind']} kind @param {ts.Node} node @param {string} after */
  const replace = (kind, node, after) => add(kind, node.getStart(file), node.getEnd(), after)

  /** @param {ts.Node} node */
  const visit = (node) => {
    // Types do not exist at run time.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    const condition = conditionOf(node)
    if (condition) replace('condition', condition, `!(${condition.getText(file)})`)
    if (ts.isBinaryExpression(node)) {
      const { operatorToken: operator } = node
      const boundary = boundaries.get(operator.kind)
      if (boundary) replace('boundary', operator, boundary)
      // A comparison that is a whole condition is already negated.
      const comparison = comparisons.get(operator.kind)
      if (comparison && conditionOf(node.parent) !== node) replace('comparison', operator, comparison)
      const swapped = logic.get(operator.kind)
      if (swapped) {
        // Without parentheses, an adjacent `??` or the other precedence would change more than this operator.
        const [left, right] = [node.left.getText(file), node.right.getText(file)]
        replace('logic', node, `((${left}) ${swapped} (${right}))`)
      }
    }
    if (ts.isAwaitExpression(node)) add('await', node.getStart(file), node.expression.getStart(file), '')
    if (isDroppable(node)) replace('statement', node, ';')
    if (ts.isObjectLiteralExpression(node)) for (const member of node.properties) visitMember(member)
    ts.forEachChild(node, visit)
  }

  /** @param {ts.ObjectLiteralElementLike} member */
  const visitMember = (member) => {
    const isFunction =
      ts.isPropertyAssignment(member) &&
      (ts.isArrowFunction(member.initializer) || ts.isFunctionExpression(member.initializer))
    const isValue =
      ts.isPropertyAssignment(member) ||
      ts.isShorthandPropertyAssignment(member) ||
      ts.isSpreadAssignment(member)
    if (!isValue || isFunction || isRow(member)) return
    const end = member.getEnd()
    const comma = /^\s*,/.exec(source.slice(end))
    add('member', member.getStart(file), end + (comma?.[0].length ?? 0), '')
  }

  visit(file)
  return found.sort((a, b) => a.start - b.start || a.end - b.end)
}

/** True for a row of a table, e.g. of MIME types: a test could only repeat it. @param {ts.ObjectLiteralElementLike} member */
function isRow(member) {
  if (!ts.isPropertyAssignment(member) || !ts.isStringLiteral(member.name)) return false
  const { initializer: value } = member
  return (
    ts.isLiteralExpression(value) ||
    (ts.isArrayLiteralExpression(value) && value.elements.every(ts.isLiteralExpression))
  )
}

/** Returns the condition of a node. @param {ts.Node | undefined} node @returns {ts.Expression | undefined} */
function conditionOf(node) {
  if (node === undefined) return undefined
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression
  if (ts.isConditionalExpression(node) || ts.isForStatement(node)) return node.condition
  return undefined
}

/**
 * Returns true if the statement may be dropped. This excludes declarations, calls of `super`, and a `return` at the end of a
 * function, which every call would detect.
 *
 * @param {ts.Node} node
 */
function isDroppable(node) {
  if (ts.isExpressionStatement(node)) {
    const { expression } = node
    return !(ts.isCallExpression(expression) && expression.expression.kind === SyntaxKind.SuperKeyword)
  }
  if (ts.isReturnStatement(node)) {
    const { parent } = node
    return ts.isIfStatement(parent) || (ts.isBlock(parent) && !ts.isFunctionLike(parent.parent))
  }
  return ts.isThrowStatement(node) || ts.isBreakStatement(node) || ts.isContinueStatement(node)
}

/** @param {string} source @param {Mutation} mutation */
export const applied = (source, { start, end, after }) => source.slice(0, start) + after + source.slice(end)

/**
 * Returns the items in an order that the seed determines.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {number} seed
 * @returns {readonly T[]}
 */
export function shuffled(items, seed) {
  const order = items.map((item, i) => ({
    item,
    key: createHash('sha256').update(`${seed} ${i}`).digest('hex'),
  }))
  return order.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}

import { stackless } from '../../errors/stackless.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import type { Pace, RequestContext } from '../request-context.js'

/** More than these are not handled in one go. */
const itemsAtOnce = 1000

/**
 * The pace of a request that turns out to be about so many items; undefined where they are few. Its first turn is to be
 * waited for too.
 */
export function paceFor(context: RequestContext, items: number): Pace | undefined {
  return context.pace ?? (items > itemsAtOnce ? context.takeTurns?.() : undefined)
}

/**
 * Answers of all items, in their order. Those of a short request are begun all at the same time, and answered at once
 * where each of them is; those of a long one come in pieces, between which others have their turn, and their errors have
 * no stack traces. `answer` must not reject.
 */
export function inTurns<T, R>(
  items: readonly T[],
  pace: Pace | undefined,
  answer: (item: T, index: number) => MaybePromise<R>,
): MaybePromise<R[]> {
  if (pace !== undefined) return inPieces(items, pace, answer)
  const answers = items.map(answer)
  return answers.some(isPromise) ? Promise.all(answers) : (answers as R[])
}

async function inPieces<T, R>(
  items: readonly T[],
  pace: Pace,
  answer: (item: T, index: number) => MaybePromise<R>,
): Promise<R[]> {
  const answers: R[] = []
  let begun: MaybePromise<R>[] = []
  for (let i = 0; i < items.length; i++) {
    begun.push(stackless(() => answer(items[i], i)))
    if (!pace.isDue()) continue
    for (const done of await Promise.all(begun)) answers.push(done)
    begun = []
    await pace.next()
  }
  for (const done of await Promise.all(begun)) answers.push(done)
  return answers
}

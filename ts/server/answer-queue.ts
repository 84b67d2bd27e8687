import type { Part } from '../protocol/codec/frames.js'
import { isFileRegion } from '../protocol/file-region.js'
import type { ResponseSender } from './response-sender.js'

/** The place of one answer among those of its connection. */
export interface AnswerPlace {
  /** Null until it is ready. */
  parts: readonly Part[] | null
  /** The connection ends behind it. */
  isLast: boolean
}

/** Sends the answers of one connection in the order of their requests, whatever order they become ready in. */
export class AnswerQueue {
  readonly #sender: ResponseSender
  #places: AnswerPlace[] = []
  #ended = false

  constructor(sender: ResponseSender) {
    this.#sender = sender
  }

  /** Requests whose answers were not given to the sender yet. */
  get length(): number {
    return this.#places.length
  }

  /** An answer was the last: nothing is sent any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** The next place. Every place must come to `ready`. */
  add(): AnswerPlace {
    const place: AnswerPlace = { parts: null, isLast: false }
    this.#places.push(place)
    return place
  }

  /** Sends the answer when its turn has come. */
  ready(place: AnswerPlace, parts: readonly Part[], isLast = false): void {
    if (this.#ended) {
      release(parts)
      return
    }
    if (this.#places.length === 1 && !isLast) {
      // The usual one. Popped, so that the list keeps its memory.
      this.#places.pop()
      if (parts.length > 0) this.#sender.send(parts)
      return
    }
    place.parts = parts
    place.isLast = isLast
    let sent = 0
    for (const { parts: next, isLast: ends } of this.#places) {
      if (next === null) break
      sent++
      if (next.length > 0) this.#sender.send(next)
      if (ends) {
        this.#places.splice(0, sent)
        this.end()
        return
      }
    }
    if (sent === this.#places.length) this.#places.length = 0
    else if (sent > 0) this.#places.splice(0, sent)
  }

  /** Gives up what was not sent. */
  end(): void {
    this.#ended = true
    for (const { parts } of this.#places.splice(0)) if (parts !== null) release(parts)
  }
}

function release(parts: readonly Part[]): void {
  for (const part of parts) if (isFileRegion(part)) part.release()
}

import { SeglogError } from '../errors/seglog-error.js'
import type { Segment } from '../native/engine.js'
import { codeOf } from './error-code.js'
import { isPromise, type MaybePromise } from './maybe-promise.js'

/**
 * The closed segments that are open for reading, over all logs of a directory: at most `limit`, least recently used
 * first out. Segments in use do not count as idle and are never closed under their reader.
 */
export class OpenSegments {
  readonly #limit: number
  /** Open and unused, oldest first. */
  readonly #idle = new Set<ClosedSegment>()
  #open = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many are open. */
  get size(): number {
    return this.#open
  }

  opened(): void {
    this.#open++
    this.#evict(this.#limit)
  }

  closed(segment: ClosedSegment): void {
    this.#open--
    this.#idle.delete(segment)
  }

  used(segment: ClosedSegment): void {
    this.#idle.delete(segment)
  }

  unused(segment: ClosedSegment): void {
    this.#idle.add(segment)
    this.#evict(this.#limit)
  }

  /** Closes what nobody uses: descriptors have run out. */
  async relieve(): Promise<void> {
    await Promise.all([...this.#idle].map((segment) => segment.evict()))
  }

  #evict(limit: number): void {
    for (const segment of this.#idle) {
      if (this.#open <= limit) return
      void segment.evict()
    }
  }
}

/** A sealed segment: opened when someone reads it, closed when the pool wants its place. */
export class ClosedSegment {
  readonly #pool: OpenSegments
  readonly #open: () => Promise<Segment>
  #segment: Segment | null
  #opening: Promise<Segment> | null = null
  #closing: Promise<void> = Promise.resolve()
  #users = 0
  #retired = false
  #whenUnused: (() => void) | null = null

  /** `already`: the segment just sealed, still open. */
  constructor(pool: OpenSegments, open: () => Promise<Segment>, already: Segment | null = null) {
    this.#pool = pool
    this.#open = open
    this.#segment = already
    if (already !== null) {
      pool.opened()
      pool.unused(this)
    }
  }

  /** Runs `work` on the open segment, at once if it is open. It stays open until the work is done. */
  use<T>(work: (segment: Segment) => MaybePromise<T>): MaybePromise<T> {
    if (this.#retired) throw new SeglogError('CLOSED', 'the segment was removed or its log closed')
    this.#users++
    this.#pool.used(this)
    let result: MaybePromise<T>
    try {
      result = this.#segment !== null ? work(this.#segment) : this.#load().then(work)
    } catch (error) {
      this.#release()
      throw error
    }
    if (!isPromise(result)) {
      this.#release()
      return result
    }
    return result.finally(() => this.#release())
  }

  /** Closes the segment for good once nobody uses it. */
  async retire(): Promise<void> {
    this.#retired = true
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#whenUnused = resolve
      })
    }
    await this.evict()
  }

  evict(): Promise<void> {
    const segment = this.#segment
    if (segment === null) return this.#closing
    this.#segment = null
    this.#pool.closed(this)
    this.#closing = segment.close().catch(() => {})
    return this.#closing
  }

  #load(): Promise<Segment> {
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #openOnce(): Promise<Segment> {
    await this.#closing
    let segment: Segment
    try {
      segment = await this.#open()
    } catch (error) {
      if (codeOf(error) !== 'TOO_MANY_OPEN_FILES') throw error
      await this.#pool.relieve()
      segment = await this.#open()
    }
    this.#segment = segment
    this.#pool.opened()
    return segment
  }

  #release(): void {
    this.#users--
    if (this.#users > 0) return
    if (this.#segment !== null) this.#pool.unused(this)
    this.#whenUnused?.()
  }
}

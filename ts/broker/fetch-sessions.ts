import { randomInt } from 'node:crypto'
import type { Clock } from '../log/logger.js'
import { protocolErrors } from '../protocol/errors.js'
import type { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.js'
import { FetchSession } from './fetch-session.js'

/** A session unused for this long gives its place to a new one; one older than this to a larger one. As Kafka does. */
const protectedMs = 120_000
/** Of all sessions together: about 100 MB. */
const partitionsMax = 500_000
const finalEpoch = -1
const firstEpoch = 0

/** One fetch, seen from its session. */
export interface SessionFetch {
  /** With all partitions of the session. */
  readonly request: FetchRequest
  /** What goes to the client of the answer to `request`. Records that it leaves out are empty. */
  answer(response: FetchResponse): FetchResponse
  /** A later request of the session was taken meanwhile: this one cannot be answered any more. */
  isStale(): boolean
}

/**
 * The fetch sessions of a broker's clients (KIP-227), bounded in number (`max.incremental.fetch.session.cache.slots`)
 * and in partitions. A client that gets no session sends whole requests, as one without sessions does. Sessions outlive
 * their connection, and their place is what ends them: a client that comes back begins a new one.
 */
export class FetchSessions {
  readonly #slots: () => number
  readonly #clock: Clock
  /** In the order of their last use. */
  readonly #sessions = new Map<number, FetchSession>()
  #partitions = 0

  constructor(slots: () => number, clock: Clock) {
    this.#slots = slots
    this.#clock = clock
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Partitions of all sessions. */
  get partitions(): number {
    return this.#partitions
  }

  /** The fetch that a request asks for; or the code of FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR. */
  begin(request: FetchRequest, byTopicId: boolean): SessionFetch | number {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === finalEpoch || sessionEpoch === firstEpoch) {
      this.#remove(this.#sessions.get(sessionId))
      if (sessionEpoch === finalEpoch) return { request, answer: (response) => response, isStale: () => false }
      return {
        request,
        answer: (response) => ({ ...response, sessionId: this.#make(request, response, byTopicId) }),
        isStale: () => false,
      }
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return protocolErrors.FETCH_SESSION_ID_NOT_FOUND.code
    if (session.epoch !== sessionEpoch) return protocolErrors.INVALID_FETCH_SESSION_EPOCH.code
    if (session.byTopicId !== byTopicId) return protocolErrors.FETCH_SESSION_TOPIC_ID_ERROR.code
    return this.#next(session, request)
  }

  #next(session: FetchSession, request: FetchRequest): SessionFetch | number {
    const before = session.size
    session.update(request)
    this.#partitions += session.size - before
    const whole = { ...request, topics: session.topics() }
    // It follows nothing any more: there is nothing to keep for it.
    if (session.size === 0 || this.#partitions > partitionsMax) {
      this.#remove(session)
      if (session.size > 0) return protocolErrors.FETCH_SESSION_ID_NOT_FOUND.code
      return { request: whole, answer: (response) => response, isStale: () => false }
    }
    session.advance(this.#clock())
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    const { epoch, id: sessionId } = session
    return {
      request: whole,
      answer: (response) => ({ ...response, sessionId, responses: session.changes(response) }),
      isStale: () => session.epoch !== epoch,
    }
  }

  /** The id of a new session over what was asked; 0 if there is no room for it. */
  #make(request: FetchRequest, response: FetchResponse, byTopicId: boolean): number {
    const session = new FetchSession(this.#unusedId(), byTopicId, this.#clock())
    session.update({ topics: request.topics, forgottenTopicsData: [] })
    if (session.size === 0 || !this.#makeRoom(session.size)) return 0
    session.changes(response)
    this.#sessions.set(session.id, session)
    this.#partitions += session.size
    return session.id
  }

  #unusedId(): number {
    for (;;) {
      const id = randomInt(1, 0x7fff_ffff)
      if (!this.#sessions.has(id)) return id
    }
  }

  /** Whether a session with so many partitions has a place, after one that must give way to it has gone. */
  #makeRoom(size: number): boolean {
    const slots = this.#slots()
    if (slots === 0 || size > partitionsMax) return false
    if (!this.#isFull(size, slots)) return true
    this.#remove(this.#unused() ?? this.#smallerThan(size))
    return !this.#isFull(size, slots)
  }

  #isFull(size: number, slots: number): boolean {
    return this.#sessions.size >= slots || this.#partitions + size > partitionsMax
  }

  #unused(): FetchSession | undefined {
    const [oldest] = this.#sessions.values()
    return oldest && this.#clock() - oldest.usedMs > protectedMs ? oldest : undefined
  }

  /** A client with more partitions gains more by a session. */
  #smallerThan(size: number): FetchSession | undefined {
    let smallest: FetchSession | undefined
    const now = this.#clock()
    for (const session of this.#sessions.values()) {
      if (now - session.madeMs > protectedMs && session.size < (smallest?.size ?? size)) smallest = session
    }
    return smallest
  }

  #remove(session: FetchSession | undefined): void {
    if (session && this.#sessions.delete(session.id)) this.#partitions -= session.size
  }
}

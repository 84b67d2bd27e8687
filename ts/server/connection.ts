import type { Socket } from 'node:net'
import type { Broker } from '../broker/broker.js'
import { asSeglogError } from '../broker/error-codes.js'
import type { Pace } from '../broker/request-context.js'
import { isPromise } from '../log/maybe-promise.js'
import { apiKey } from '../protocol/apis.js'
import type { Part } from '../protocol/codec/frames.js'
import { type AnswerPlace, AnswerQueue } from './answer-queue.js'
import type { Peer } from './client-request.js'
import { ConnectionWatch } from './connection-watch.js'
import type { ServerLimits } from './limits.js'
import type { LongRequests } from './long-requests.js'
import type { BudgetReader, RequestBudget } from './request-budget.js'
import { runRequest } from './run-request.js'
import { strangerOf } from './stranger.js'
import type { Frame, Wire, WireOwner } from './wire.js'

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly broker: Broker
  readonly budget: RequestBudget
  readonly longRequests: LongRequests
  readonly limits: ServerLimits
  /** Makes the wire of a socket that was accepted. */
  wireOf(socket: Socket, owner: WireOwner): Wire
  /** A line about what the other end did; their number is limited. */
  complain(fields: object, message: string): void
  /** A line about a fault of ours. */
  fault(fields: object, message: string): void
  debug(fields: object, message: string): void
  closed(connection: Connection): void
}

/** Produce requests of one connection under way at a time. */
const producesMax = 100
/** Behind a request that runs so much is read: an end of the connection that comes behind it is noticed. */
const behindBytes = 64 * 1024
/** A request that is that long on its way is made to keep no more memory alive than it needs. */
const compactMs = 1000

/**
 * One client's connection. Requests are run one after another, each when the one before is answered, which is what Kafka
 * does; only Produce requests run beside each other, in the order in which they came. Answers leave in the order of the
 * requests. While a request has to wait, or the client does not take its answers, little more is read.
 */
export class Connection implements Peer, BudgetReader, WireOwner {
  readonly listener: string
  readonly #wire: Wire
  readonly #host: ConnectionHost
  readonly #number: number
  readonly #answers: AnswerQueue
  readonly #watch: ConnectionWatch
  #abort: AbortController | null = null
  /** Only Produce requests are under way, and no long ones. */
  #onlyProduces = true
  #isReading = true
  /** The budget for requests is used up. */
  #isStarved = false
  /** The other end sends no more. */
  #hasEnded = false
  /** No further request is run: what is answered already is sent, then the connection ends. */
  #isClosing = false
  #isFirst = true

  constructor(socket: Socket, listener: string, number: number, host: ConnectionHost) {
    this.listener = listener
    this.#number = number
    this.#host = host
    this.#watch = new ConnectionWatch(host.limits, host.budget)
    this.#wire = host.wireOf(socket, this)
    this.#answers = new AnswerQueue(this.#wire.sender)
  }

  get clientHost(): string {
    return this.#wire.clientHost
  }

  get receivedBytes(): number {
    return this.#watch.receivedBytes
  }

  get connectionId(): string {
    return String(this.#number)
  }

  get localAddress(): string {
    return this.#wire.localAddress
  }

  get copiedBytes(): number {
    return this.#wire.copiedBytes
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#hasEnded || this.#isClosing || this.#wire.isDestroyed) this.#abort.abort()
    }
    return this.#abort.signal
  }

  get isGone(): boolean {
    return this.#wire.isDestroyed
  }

  beginLong(): Pace {
    this.#onlyProduces = false
    return this.#host.longRequests.begin()
  }

  /** Nothing is read for this one while it is run, so the budget needs not be asked. */
  hold(bytes: number): void {
    this.#host.budget.take(bytes)
  }

  letGo(bytes: number): void {
    this.#host.budget.give(bytes)
  }

  /** Runs no further request, answers those under way, wakes those that wait, and closes. */
  finish(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#forget()
    this.#abort?.abort()
    this.#finishIfDone()
    this.#adjustReading()
  }

  destroy(): void {
    this.#wire.destroy()
  }

  resumeReading(): void {
    this.#isStarved = false
    this.#adjustReading()
  }

  /** Sees to it that this connection's time is not up. To be called about once a second. */
  tick(nowMs: number): void {
    const { frames, sender } = this.#wire
    const isHeldUp = frames.bytes > 0 && !this.#mayRun()
    const isReceiving = frames.bytes > 0 && this.#isReading && !isHeldUp && !this.#isClosing
    const ending = this.#watch.look(nowMs, {
      sentBytes: sender.sentBytes,
      isSending: sender.isSending,
      heldBytes: frames.bytes,
      isHeldUp,
      isReceiving,
      isWaiting: this.#answers.length > 0 && !sender.isBlocked,
    })
    if (ending === null) {
      if (isReceiving && this.#watch.receivingMs(nowMs) > compactMs) frames.compact()
      return
    }
    if (ending.message !== null) {
      if (ending.isComplaint) this.#host.complain(this.#place(), ending.message)
      else this.#host.debug(this.#place(), ending.message)
    }
    this.destroy()
  }

  onSent(): void {
    this.#watch.moved()
    this.#run()
  }

  onSendFailed(error: unknown): void {
    const fields = { ...this.#place(), err: error }
    // A topic may be deleted while it is read.
    if (asSeglogError(error).code === 'CLOSED') this.#host.debug(fields, 'an answer was cut short')
    else this.#host.fault(fields, 'an answer could not be read from its file and was cut short')
    this.destroy()
  }

  onReceived(bytes: number): void {
    this.#watch.moved()
    if (this.#isClosing) {
      this.#wire.frames.clear()
      return
    }
    this.#watch.received(bytes, this.#wire.frames.bytes === bytes)
    this.#host.budget.take(bytes)
    this.#isStarved = this.#host.budget.mustWait(this)
    this.#run()
  }

  /** Their end is closed, ours need not be: what they asked for is still answered, though nothing is waited for. */
  onEnded(): void {
    this.#hasEnded = true
    this.#abort?.abort()
    this.#run()
  }

  onLost(error: Error): void {
    this.#host.debug({ ...this.#place(), err: error }, 'connection lost')
  }

  onClosed(): void {
    this.#isClosing = true
    this.#hasEnded = true
    this.#answers.end()
    this.#wire.sender.close()
    this.#forget()
    this.#abort?.abort()
    this.#host.closed(this)
  }

  /** Runs what may be run of what has come. */
  #run(): void {
    try {
      while (this.#mayRun()) {
        const frame = this.#wire.frames.next()
        if (frame === null) {
          if (this.#isFirst) this.#checkStranger()
          break
        }
        this.#isFirst = false
        this.#watch.taken()
        this.#runRequest(frame)
      }
    } catch (error) {
      this.#refuseFrame(error)
    }
    this.#finishIfDone()
    this.#adjustReading()
  }

  /** The next request need not wait for those under way. */
  #mayRun(): boolean {
    if (this.#isClosing || this.#wire.sender.isBlocked) return false
    const { length } = this.#answers
    if (length === 0) return true
    return length < producesMax && this.#onlyProduces && this.#wire.frames.peekKey() === apiKey.produce
  }

  #runRequest(frame: Frame): void {
    if (this.#answers.length === 0) this.#onlyProduces = keyOf(frame) === apiKey.produce
    const place = this.#answers.add()
    try {
      const parts = runRequest(this.#host.broker, frame, this)
      if (!isPromise(parts)) {
        this.#answered(place, parts, frame)
        return
      }
      parts.then(
        (done) => {
          this.#answered(place, done, frame)
          this.#run()
        },
        (error: unknown) => {
          this.#failed(place, error, frame)
          this.#run()
        },
      )
    } catch (error) {
      this.#failed(place, error, frame)
    }
  }

  #answered(place: AnswerPlace, parts: readonly Part[], frame: Frame): void {
    this.#answers.ready(place, parts)
    this.#done(frame)
  }

  /** The connection ends where this answer would stand. */
  #failed(place: AnswerPlace, error: unknown, frame: Frame): void {
    const { code, message } = asSeglogError(error)
    const fields = { ...this.#place(), err: error }
    const isOver = this.#wire.isDestroyed || this.#answers.ended
    if (isOver || code === 'CLOSED') this.#host.debug(fields, 'request not answered')
    else if (code === 'UNKNOWN_SERVER_ERROR') this.#host.fault(fields, 'a request failed and its connection was closed')
    else this.#host.complain(this.#place(), `connection closed: ${message}`)
    this.#answers.ready(place, [], true)
    this.#done(frame)
    this.#isClosing = true
    this.#forget()
  }

  /** What comes cannot be cut into requests. */
  #refuseFrame(error: unknown): void {
    const stranger = this.#isFirst ? strangerOf(this.#wire.frames.head()) : null
    this.#end(stranger?.message ?? asSeglogError(error).message, stranger?.answer)
  }

  /** With a large socket.request.max.bytes a stranger's first bytes pass for a length. */
  #checkStranger(): void {
    const head = this.#wire.frames.head()
    const stranger = head.length < 4 || head[0] === 0 ? null : strangerOf(head)
    if (stranger !== null) this.#end(stranger.message, stranger.answer)
  }

  #end(message: string, answer: string | null = null): void {
    this.#host.complain(this.#place(), `connection closed: ${message}`)
    this.#answers.ready(this.#answers.add(), answer === null ? [] : [Buffer.from(answer)], true)
    this.#isClosing = true
    this.#forget()
  }

  #finishIfDone(): void {
    const isDone = this.#isClosing || (this.#hasEnded && this.#mayRun())
    if (
      !isDone ||
      this.#answers.length > 0 ||
      !this.#wire.sender.isIdle ||
      this.#wire.isEnded ||
      this.#wire.isDestroyed
    )
      return
    if (!this.#isClosing && this.#wire.frames.bytes > 0) {
      const bytes = this.#wire.frames.bytes
      this.#host.complain(this.#place(), `the connection ended within a request, ${bytes} bytes after it began`)
    }
    this.#isClosing = true
    this.#forget()
    this.#watch.finished()
    this.#wire.end()
  }

  /** Reads on unless a request has to wait first. What comes after the end is read too, and dropped. */
  #adjustReading(): void {
    // It holds nothing, and what comes next is one read's worth: small requests get through while large ones wait.
    if (this.#isStarved && this.#wire.frames.bytes === 0 && this.#answers.length === 0) {
      this.#isStarved = false
      this.#host.budget.leave(this)
    }
    const isHeldUp = this.#wire.frames.bytes >= behindBytes && !this.#mayRun()
    const read = this.#isClosing || (!isHeldUp && !this.#isStarved)
    if (read === this.#isReading || this.#hasEnded) return
    this.#isReading = read
    if (!read) this.#wire.pause()
    else {
      this.#watch.resumed()
      this.#wire.resume()
    }
  }

  #done(frame: Frame): void {
    this.#wire.frames.done(frame)
    this.#host.budget.give(frame.sizeBytes + frameLengthBytes)
    this.#host.budget.done(this)
  }

  /** Drops what was not made a request yet. */
  #forget(): void {
    this.#host.budget.give(this.#wire.frames.clear())
    this.#host.budget.leave(this)
  }

  #place(): object {
    return { client: this.clientHost, listener: this.listener, connection: this.#number }
  }
}

const frameLengthBytes = 4

function keyOf({ chunks }: Frame): number {
  const [first] = chunks
  // Where two bytes are not enough to see it, it may as well run alone.
  return first === undefined || first.length < 2 ? -1 : ((first[0]! << 24) >> 16) | first[1]!
}

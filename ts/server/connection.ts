import type { Socket } from 'node:net'
import type { Broker } from '../broker/broker.js'
import { asSeglogError } from '../broker/error-codes.js'
import type { Pace } from '../broker/request-context.js'
import { isPromise } from '../log/maybe-promise.js'
import { apiKey } from '../protocol/apis.js'
import type { Part } from '../protocol/codec/frames.js'
import { type AnswerPlace, AnswerQueue } from './answer-queue.js'
import type { Peer } from './client-request.js'
import { CopyingSender } from './copying-sender.js'
import { type Frame, FrameReader } from './frame-reader.js'
import { isTooSlow, type ServerLimits } from './limits.js'
import type { LongRequests } from './long-requests.js'
import type { BudgetReader, RequestBudget } from './request-budget.js'
import type { SenderOwner } from './response-sender.js'
import { runRequest } from './run-request.js'
import type { SendingRoom } from './sending-room.js'
import { strangerOf } from './stranger.js'

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly broker: Broker
  readonly budget: RequestBudget
  readonly room: SendingRoom
  readonly longRequests: LongRequests
  readonly limits: ServerLimits
  /** A line about what the other end did; their number is limited. */
  complain(fields: object, message: string): void
  /** A line about a fault of ours. */
  fault(fields: object, message: string): void
  debug(fields: object, message: string): void
  closed(connection: Connection): void
}

/** Produce requests of one connection under way at a time. */
const producesMax = 100
/** Of a request whose rest is waited for while memory is short, so much may be held, and so little come a second. */
const stalledHeldBytes = 1024
const stalledBytesPerTick = 16 * 1024
/** Looks without more than that. After a stall of the event loop the first says nothing: what came lies unread. */
const stalledTicksMax = 2
/** Behind a request that runs so much is read: an end of the connection that comes behind it is noticed. */
const behindBytes = 64 * 1024
/** How long the other end may take to close after we have. */
const lingerMs = 2000
/** How long the last of the last answer may take to leave. */
const lastAnswerMs = 60_000

/**
 * One client's connection. Requests are run one after another, each when the one before is answered, which is what Kafka
 * does; only Produce requests run beside each other, in the order in which they came. Answers leave in the order of the
 * requests. While a request has to wait, or the client does not take its answers, little more is read.
 */
export class Connection implements Peer, BudgetReader, SenderOwner {
  readonly clientHost: string
  readonly listener: string
  receivedBytes = 0
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #number: number
  readonly #frames: FrameReader
  readonly #sender: CopyingSender
  readonly #answers: AnswerQueue
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
  #lastMovedMs: number
  /** Since when the next request is expected to come on. */
  #expectedSinceMs: number
  /** When our end was closed; infinite before. */
  #finishedMs = Number.POSITIVE_INFINITY
  /** What the sender had passed on when it was last looked at. */
  #sentBytes = 0
  /** What had come when it was last looked at, and how often in a row that was next to nothing while others waited. */
  #lookedAtBytes = 0
  #stalledTicks = 0

  constructor(socket: Socket, listener: string, number: number, host: ConnectionHost) {
    this.clientHost = plainAddress(socket.remoteAddress)
    this.listener = listener
    this.#socket = socket
    this.#number = number
    this.#host = host
    this.#frames = new FrameReader(host.limits.requestBytes)
    this.#sender = new CopyingSender(socket, this, host.room)
    this.#answers = new AnswerQueue(this.#sender)
    this.#lastMovedMs = performance.now()
    this.#expectedSinceMs = this.#lastMovedMs
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  get connectionId(): string {
    return String(this.#number)
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress)
  }

  get copiedBytes(): number {
    return this.#host.room.pieceBytes
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#hasEnded || this.#isClosing || this.#socket.destroyed) this.#abort.abort()
    }
    return this.#abort.signal
  }

  get isGone(): boolean {
    return this.#socket.destroyed
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
    this.#socket.destroy()
  }

  resumeReading(): void {
    this.#isStarved = false
    this.#adjustReading()
  }

  /** Sees to it that this connection's time is not up. To be called about once a second. */
  tick(nowMs: number): void {
    const { limits } = this.#host
    if (this.#sender.sentBytes !== this.#sentBytes) {
      this.#sentBytes = this.#sender.sentBytes
      this.#lastMovedMs = nowMs
    }
    const isSending = this.#socket.writableLength > 0
    if (nowMs - this.#finishedMs > (isSending ? lastAnswerMs : lingerMs)) {
      this.destroy()
      return
    }
    const isHeldUp = this.#frames.bytes > 0 && !this.#mayRun()
    if (isHeldUp) this.#expectedSinceMs = nowMs
    const isReceiving = this.#frames.bytes > 0 && this.#isReading && !isHeldUp && !this.#isClosing
    if (isReceiving) {
      const elapsedMs = nowMs - this.#expectedSinceMs
      if (isTooSlow(limits, elapsedMs, this.#frames.bytes)) {
        this.#dropSlow(elapsedMs)
        return
      }
      if (elapsedMs > 1000) this.#frames.compact()
    }
    if (this.#isInTheWay(isReceiving)) {
      this.#dropInTheWay()
      return
    }
    const isWaiting = this.#answers.length > 0 && !this.#sender.isBlocked
    if (!isWaiting && nowMs - this.#lastMovedMs > limits.idleMs) {
      this.#host.debug(this.#place(), 'connection closed: nothing moved on it for connections.max.idle.ms')
      this.destroy()
    }
  }

  onSent(): void {
    this.#lastMovedMs = performance.now()
    this.#run()
  }

  onSendFailed(error: unknown): void {
    const fields = { ...this.#place(), err: error }
    // A topic may be deleted while it is read.
    if (asSeglogError(error).code === 'CLOSED') this.#host.debug(fields, 'an answer was cut short')
    else this.#host.fault(fields, 'an answer could not be read from its file and was cut short')
    this.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#lastMovedMs = performance.now()
    if (this.#isClosing) return
    this.receivedBytes += chunk.length
    if (this.#frames.bytes === 0) this.#expectedSinceMs = this.#lastMovedMs
    this.#receive(chunk.length)
    this.#frames.push(chunk)
    this.#run()
  }

  /** Their end is closed, ours need not be: what they asked for is still answered, though nothing is waited for. */
  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#abort?.abort()
    this.#run()
  }

  readonly #onError = (error: Error): void => {
    this.#host.debug({ ...this.#place(), err: error }, 'connection lost')
  }

  readonly #onClose = (): void => {
    this.#isClosing = true
    this.#hasEnded = true
    this.#answers.end()
    this.#sender.close()
    this.#forget()
    this.#abort?.abort()
    this.#host.closed(this)
  }

  /** Runs what may be run of what has come. */
  #run(): void {
    try {
      while (this.#mayRun()) {
        const frame = this.#frames.next()
        if (frame === null) {
          if (this.#isFirst) this.#checkStranger()
          break
        }
        this.#isFirst = false
        this.#expectedSinceMs = this.#lastMovedMs
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
    if (this.#isClosing || this.#sender.isBlocked) return false
    const { length } = this.#answers
    if (length === 0) return true
    return length < producesMax && this.#onlyProduces && this.#frames.peekKey() === apiKey.produce
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
    this.#done(frame.sizeBytes + frameLengthBytes)
  }

  /** The connection ends where this answer would stand. */
  #failed(place: AnswerPlace, error: unknown, frame: Frame): void {
    const { code, message } = asSeglogError(error)
    const fields = { ...this.#place(), err: error }
    const isOver = this.#socket.destroyed || this.#answers.ended
    if (isOver || code === 'CLOSED') this.#host.debug(fields, 'request not answered')
    else if (code === 'UNKNOWN_SERVER_ERROR') this.#host.fault(fields, 'a request failed and its connection was closed')
    else this.#host.complain(this.#place(), `connection closed: ${message}`)
    this.#answers.ready(place, [], true)
    this.#done(frame.sizeBytes + frameLengthBytes)
    this.#isClosing = true
    this.#forget()
  }

  /** What comes cannot be cut into requests. */
  #refuseFrame(error: unknown): void {
    const stranger = this.#isFirst ? strangerOf(this.#frames.head()) : null
    this.#end(stranger?.message ?? asSeglogError(error).message, stranger?.answer)
  }

  /** With a large socket.request.max.bytes a stranger's first bytes pass for a length. */
  #checkStranger(): void {
    const head = this.#frames.head()
    const stranger = head.length < 4 || head[0] === 0 ? null : strangerOf(head)
    if (stranger !== null) this.#end(stranger.message, stranger.answer)
  }

  #end(message: string, answer: string | null = null): void {
    this.#host.complain(this.#place(), `connection closed: ${message}`)
    this.#answers.ready(this.#answers.add(), answer === null ? [] : [Buffer.from(answer)], true)
    this.#isClosing = true
    this.#forget()
  }

  #dropSlow(elapsedMs: number): void {
    const seconds = (elapsedMs / 1000).toFixed(1)
    const message = `connection closed: of a request that began ${seconds} s ago only ${this.#frames.bytes} bytes have come`
    this.#host.complain(this.#place(), message)
    this.destroy()
  }

  /** Memory for requests is short, and the rest of the one that is held here does not come. */
  #isInTheWay(isReceiving: boolean): boolean {
    const came = this.receivedBytes - this.#lookedAtBytes
    this.#lookedAtBytes = this.receivedBytes
    const holds = isReceiving && this.#frames.bytes > stalledHeldBytes
    const isStalled = holds && came < stalledBytesPerTick && this.#host.budget.isShort
    this.#stalledTicks = isStalled ? this.#stalledTicks + 1 : 0
    return this.#stalledTicks >= stalledTicksMax
  }

  #dropInTheWay(): void {
    const message = `connection closed: others wait for the memory of a request of which ${this.#frames.bytes} bytes came and the rest does not (queued.max.request.bytes)`
    this.#host.complain(this.#place(), message)
    this.destroy()
  }

  #finishIfDone(): void {
    const isDone = this.#isClosing || (this.#hasEnded && this.#mayRun())
    if (
      !isDone ||
      this.#answers.length > 0 ||
      !this.#sender.isIdle ||
      this.#socket.writableEnded ||
      this.#socket.destroyed
    )
      return
    if (!this.#isClosing && this.#frames.bytes > 0) {
      const bytes = this.#frames.bytes
      this.#host.complain(this.#place(), `the connection ended within a request, ${bytes} bytes after it began`)
    }
    this.#isClosing = true
    this.#forget()
    this.#finishedMs = performance.now()
    this.#socket.end()
  }

  /** Reads on unless a request has to wait first. What comes after the end is read too, and dropped. */
  #adjustReading(): void {
    // It holds nothing, and what comes next is one read's worth: small requests get through while large ones wait.
    if (this.#isStarved && this.#frames.bytes === 0 && this.#answers.length === 0) {
      this.#isStarved = false
      this.#host.budget.leave(this)
    }
    const isHeldUp = this.#frames.bytes >= behindBytes && !this.#mayRun()
    const read = this.#isClosing || (!isHeldUp && !this.#isStarved)
    if (read === this.#isReading || this.#hasEnded) return
    this.#isReading = read
    if (!read) this.#socket.pause()
    else {
      this.#expectedSinceMs = performance.now()
      this.#socket.resume()
    }
  }

  #receive(bytes: number): void {
    const { budget } = this.#host
    budget.take(bytes)
    this.#isStarved = budget.mustWait(this)
  }

  #done(bytes: number): void {
    this.#host.budget.give(bytes)
    this.#host.budget.done(this)
  }

  /** Drops what was not made a request yet. */
  #forget(): void {
    this.#host.budget.give(this.#frames.clear())
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

/** An address without the prefix that tells an IPv4 one on a socket for both; empty where the socket is gone. */
function plainAddress(address: string | undefined): string {
  return address === undefined ? '' : address.replace(/^::ffff:(?=\d+\.)/, '')
}

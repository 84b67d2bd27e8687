import { connect, type Socket } from 'node:net'
import { asSeglogError } from '../client/settle-errors.js'
import { SeglogError } from '../errors/seglog-error.js'
import { lostConnection, unreachable, unsentError } from './connection-error.js'
import { FrameReader } from './frame-reader.js'
import { type Address, addressName } from './tcp-address.js'

const keepAliveMs = 60_000
const timerMsMax = 0x7fff_ffff

/** A request that was written and waits for its answer. */
interface Waiting {
  readonly correlationId: number
  readonly what: string
  readonly deadlineMs: number
  readonly resolve: (frame: Buffer) => void
  readonly reject: (error: SeglogError) => void
}

/**
 * One connection, as frames: what is asked is answered in order. An answer that does not come in time, out of its order or
 * of an impossible length ends the connection, and with it everything that waits: later answers stand behind it.
 * Keeps the process alive only while something waits.
 */
export class FrameSocket {
  /** `host:port`. */
  readonly name: string
  /** Called once, when the connection is over. */
  onClose: (() => void) | null = null
  /** Called when bytes that waited for the network have left. */
  onDrain: (() => void) | null = null
  private readonly waiting: Waiting[] = []
  private lastId = 0
  private timer: NodeJS.Timeout | null = null
  private timerAtMs = 0
  private ended: SeglogError | null = null
  private unwritten = 0

  private constructor(
    private readonly socket: Socket,
    address: Address,
    maxAnswerBytes: number,
  ) {
    this.name = addressName(address)
    const frames = new FrameReader(maxAnswerBytes, (frame) => this.take(frame))
    socket.on('data', (chunk) => {
      try {
        frames.push(chunk)
      } catch (error) {
        this.close(this.placed(asSeglogError(error)))
      }
    })
    socket.on('drain', () => this.onDrain?.())
    socket.on('error', (error) => this.lose(error.message, error))
    socket.on('end', () => this.lose('the broker closed it'))
    socket.on('close', () => this.lose('it was closed'))
    socket.unref()
  }

  /** Connects. Rejects with BROKER_NOT_AVAILABLE (retriable), or with ABORTED by what `signal` says. */
  static open(address: Address, timeoutMs: number, maxAnswerBytes: number, signal?: AbortSignal): Promise<FrameSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address.host, port: address.port, noDelay: true })
      const name = addressName(address)
      const fail = (error: SeglogError) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        socket.destroy()
        reject(error)
      }
      const onError = (error: Error) => fail(unreachable(name, error))
      const abort = () =>
        fail(new SeglogError('ABORTED', `connecting to ${name} was aborted`, { cause: signal?.reason }))
      const timer = setTimeout(() => fail(unreachable(name, `no answer within ${timeoutMs} ms`)), timeoutMs)
      socket.once('error', onError)
      // Errors that follow a failure have nobody to tell.
      socket.on('error', () => {})
      socket.once('connect', () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        socket.removeListener('error', onError)
        socket.setKeepAlive(true, keepAliveMs)
        resolve(new FrameSocket(socket, address, maxAnswerBytes))
      })
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }

  get isOpen(): boolean {
    return this.ended === null
  }

  /** Requests that were written and not answered. */
  get inFlight(): number {
    return this.waiting.length
  }

  /** Bytes that the network has not taken yet. */
  get unsentBytes(): number {
    return this.socket.writableLength
  }

  /** For the next request: positive, and different from those that wait. */
  nextCorrelationId(): number {
    this.lastId = (this.lastId + 1) & 0x7fff_ffff
    return this.lastId
  }

  /** Writes a request; resolves to the frame of its answer. `what` names it in errors. */
  ask(correlationId: number, parts: readonly Uint8Array[], what: string, timeoutMs: number): Promise<Buffer> {
    if (this.ended !== null) return Promise.reject(unsentError(lostConnection(this.ended.message, this.ended.cause)))
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + timeoutMs
      this.waiting.push({ correlationId, what, deadlineMs, resolve, reject })
      this.beBusy()
      this.watch(deadlineMs)
      this.write(parts)
    })
  }

  /** Writes a request that is not answered; resolves when the system has taken it. */
  tell(parts: readonly Uint8Array[], what: string): Promise<void> {
    if (this.ended !== null) return Promise.reject(unsentError(lostConnection(this.ended.message, this.ended.cause)))
    return new Promise((resolve, reject) => {
      this.unwritten++
      this.beBusy()
      this.write(parts, (error) => {
        this.unwritten--
        this.beIdle()
        if (!error) resolve()
        else
          reject(this.ended ?? lostConnection(`${what} could not be written to ${this.name}: ${error.message}`, error))
      })
    })
  }

  /** Ends the connection; what waits fails with `reason`. Idempotent. */
  close(reason?: SeglogError): void {
    if (this.ended !== null) return
    this.ended = reason ?? lostConnection(`the connection to ${this.name} was closed`)
    if (this.timer !== null) clearTimeout(this.timer)
    this.socket.destroy()
    const lost = this.waiting.splice(0)
    for (const { reject, what } of lost) reject(this.lossOf(what, lost))
    this.onClose?.()
  }

  private write(parts: readonly Uint8Array[], written?: (error?: Error | null) => void): void {
    const { socket } = this
    const last = parts.length - 1
    if (last > 0) socket.cork()
    for (let index = 0; index < last; index++) socket.write(parts[index])
    socket.write(parts[last], written)
    if (last > 0) socket.uncork()
  }

  private take(frame: Buffer): void {
    if (this.ended !== null) return
    const correlationId = frame.readInt32BE(0)
    const first = this.waiting[0]
    if (first === undefined || first.correlationId !== correlationId) {
      const wanted = first === undefined ? 'nothing was asked' : `${first.what} (${first.correlationId}) was next`
      throw new SeglogError('MALFORMED_MESSAGE', `an answer to request ${correlationId}, but ${wanted}`)
    }
    this.waiting.shift()
    this.beIdle()
    first.resolve(frame)
  }

  private beBusy(): void {
    if (this.waiting.length + this.unwritten === 1) this.socket.ref()
  }

  private beIdle(): void {
    if (this.waiting.length + this.unwritten === 0) this.socket.unref()
  }

  /** The timer stands at the earliest deadline, or before it. */
  private watch(deadlineMs: number): void {
    if (this.timer !== null && this.timerAtMs <= deadlineMs) return
    if (this.timer !== null) clearTimeout(this.timer)
    this.timerAtMs = deadlineMs
    const leftMs = Math.min(timerMsMax, Math.max(1, Math.ceil(deadlineMs - performance.now())))
    this.timer = setTimeout(this.look, leftMs)
    this.timer.unref()
  }

  private readonly look = (): void => {
    this.timer = null
    const nowMs = performance.now()
    const late = this.waiting.find(({ deadlineMs }) => deadlineMs <= nowMs)
    if (late !== undefined) {
      const message = `${this.name} did not answer ${late.what} in time; the connection was given up`
      this.close(new SeglogError('TIMED_OUT', message, { retriable: true }))
      return
    }
    const earliestMs = this.waiting.reduce((earliest, { deadlineMs }) => Math.min(earliest, deadlineMs), Infinity)
    if (earliestMs < Infinity) this.watch(earliestMs)
  }

  private lose(why: string, cause?: unknown): void {
    if (this.ended === null) this.close(lostConnection(`the connection to ${this.name} was lost: ${why}`, cause))
  }

  private placed(error: SeglogError): SeglogError {
    return new SeglogError(error.code, `${this.name} sent what is no answer: ${error.message}`, { cause: error })
  }

  /** Its own error for each request, which names what else was under way. */
  private lossOf(what: string, lost: readonly Waiting[]): SeglogError {
    const { code, message, retriable, cause } = this.ended!
    const others = lost.length === 1 ? '' : ` (with it: ${summary(lost)})`
    return new SeglogError(code, `${message}; ${what} was not answered${others}`, { retriable, cause })
  }
}

/** `Produce 3, Fetch 1` of requests under way. */
function summary(lost: readonly Waiting[]): string {
  const counts = new Map<string, number>()
  for (const { what } of lost) counts.set(what, (counts.get(what) ?? 0) + 1)
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ')
}

import { abortedError, asSeglogError } from '../client/settle-errors.js'
import { SeglogError } from '../errors/seglog-error.js'
import type { BrokerDoor } from './broker-door.js'
import { lostConnection, unsentError } from './connection-error.js'
import type { TcpConnection } from './tcp-connection.js'

export interface LaneLimits {
  /** Requests on their way at once; more wait their turn. */
  readonly inFlightMax: number
  /** Bytes the network has not taken, above which requests wait. */
  readonly unsentBytesMax: number
  /** Milliseconds without a request after which the connection is closed. */
  readonly maxIdleMs: number
}

/** Requests that may wait for a turn. */
const queueMax = 10_000

/** A request that waits for its turn. */
interface Job {
  readonly start: (connection: TcpConnection) => void
  readonly fail: (error: SeglogError) => void
}

type Work<T> = (connection: TcpConnection) => Promise<T>

/**
 * One connection to a broker, made when there is something to ask and made again after a loss. Requests leave in the order
 * they were made. When the connection is lost or cannot be made, those that wait for their turn fail too, as not sent:
 * who repeats them decides on the order.
 */
export class TcpLane {
  /** Requests whose callers no longer wait for the answer. */
  abandoned = 0
  private connection: TcpConnection | null = null
  private connecting = false
  private running = 0
  private queue: Job[] = []
  private closed: SeglogError | null = null
  private idleTimer: NodeJS.Timeout | null = null

  constructor(
    private readonly door: BrokerDoor,
    private readonly limits: LaneLimits,
    /** The connection is there no more, and nobody asked for that. */
    private readonly onLost: () => void,
  ) {}

  /** Requests under way or waiting. */
  get load(): number {
    return this.running + this.queue.length
  }

  get isConnected(): boolean {
    return this.connection !== null
  }

  /**
   * Calls `work` with a connection when it is this request's turn. Rejects with what `work` does, with TIMED_OUT when the
   * turn does not come in time, ABORTED by the signal, BUFFER_FULL, CLOSED, or why there is no connection.
   */
  run<T>(work: Work<T>, what: string, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    if (this.closed !== null) return Promise.reject(this.closed)
    if (signal?.aborted) return Promise.reject(abortedError(`${what} was aborted`, signal))
    if (this.queue.length >= queueMax) return Promise.reject(tooMany(this.door.name))
    return new Promise((resolve, reject) => {
      let isStarted = false
      let isOver = false
      let timer: NodeJS.Timeout | null = null
      const end = () => {
        isOver = true
        if (timer !== null) clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const giveUp = (error: SeglogError) => {
        end()
        if (isStarted) this.abandoned++
        else this.queue = this.queue.filter((one) => one !== job)
        reject(isStarted ? error : unsentError(error))
      }
      const onAbort = () => giveUp(abortedError(`${what} was aborted`, signal!))
      const job: Job = {
        start: (connection) => {
          isStarted = true
          if (timer !== null) clearTimeout(timer)
          const settle = (settled: () => void) => {
            if (isOver) this.abandoned--
            else {
              end()
              settled()
            }
            this.finished()
          }
          this.running++
          work(connection).then(
            (result) => settle(() => resolve(result)),
            (error) => settle(() => reject(error)),
          )
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.queue.push(job)
      this.pump()
      if (isStarted || isOver) return
      timer = setTimeout(() => giveUp(late(what, this.door.name)), timeoutMs)
    })
  }

  /** Ends the connection if there is one; the next request makes another. What is under way fails. */
  drop(): void {
    const { connection } = this
    if (connection === null) return
    this.connection = null
    connection.socket.onClose = null
    connection.socket.close()
  }

  close(reason: SeglogError): void {
    if (this.closed !== null) return
    this.closed = reason
    if (this.idleTimer !== null) clearTimeout(this.idleTimer)
    this.connection?.socket.close(reason)
    this.failQueue(reason)
  }

  private pump(): void {
    const { limits } = this
    while (this.queue.length > 0) {
      const { connection } = this
      if (connection === null) {
        this.connect()
        return
      }
      if (this.running >= limits.inFlightMax || connection.socket.unsentBytes >= limits.unsentBytesMax) return
      if (this.idleTimer !== null) clearTimeout(this.idleTimer)
      this.idleTimer = null
      this.queue.shift()!.start(connection)
    }
  }

  private connect(): void {
    if (this.connecting) return
    this.connecting = true
    this.door.connect().then(
      (connection) => {
        this.connecting = false
        if (this.closed !== null) connection.socket.close(this.closed)
        else this.use(connection)
      },
      (error) => {
        this.connecting = false
        this.failQueue(asSeglogError(error))
        this.onLost()
      },
    )
  }

  private use(connection: TcpConnection): void {
    this.connection = connection
    const { socket } = connection
    socket.onDrain = () => this.pump()
    socket.onClose = () => {
      this.connection = null
      if (this.closed !== null) return
      this.failQueue(lostConnection(`the connection to ${this.door.name} was lost before the request was sent`))
      this.onLost()
    }
    if (socket.isOpen) this.proceed()
    else socket.onClose()
  }

  private finished(): void {
    this.running--
    this.proceed()
  }

  private proceed(): void {
    this.pump()
    if (this.load > 0 || this.connection === null) return
    if (this.idleTimer !== null) clearTimeout(this.idleTimer)
    this.idleTimer = setTimeout(() => {
      this.idleTimer = null
      if (this.load === 0) this.drop()
    }, this.limits.maxIdleMs)
    this.idleTimer.unref()
  }

  private failQueue(error: SeglogError): void {
    const { queue } = this
    this.queue = []
    for (const { fail } of queue) fail(unsentError(copyOf(error)))
  }
}

/** An error of its own for each request: what one caller does with it is nothing to the others. */
function copyOf({ code, message, retriable, cause }: SeglogError): SeglogError {
  return new SeglogError(code, message, { retriable, cause })
}

function late(what: string, name: string): SeglogError {
  const message = `${what} could not be sent to ${name} in time: no connection, or too much is on its way already`
  return new SeglogError('TIMED_OUT', message, { retriable: true })
}

function tooMany(name: string): SeglogError {
  const message = `${queueMax} requests to ${name} wait for their turn already; await some`
  return new SeglogError('BUFFER_FULL', message, { retriable: true })
}

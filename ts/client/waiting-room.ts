import { SeglogError } from '../errors/seglog-error.js'
import type { PendingSend } from './pending-send.js'

/** Sends that wait for room in their producer's buffer, first come first served, each for a bounded time. */
export class WaitingRoom {
  private queue: PendingSend[] = []
  private head = 0
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly sendsMax: number,
    private readonly timeoutMs: number,
    /** True for a topic that the brokers have not told of yet. */
    private readonly isUnknown: (topic: string) => boolean,
  ) {}

  get isEmpty(): boolean {
    this.dropSettled()
    return this.head === this.queue.length
  }

  /** The send whose turn it is. */
  get first(): PendingSend | null {
    this.dropSettled()
    return this.queue[this.head] ?? null
  }

  /** Takes a send in, or fails it with BUFFER_FULL. */
  enter(send: PendingSend): void {
    if (this.queue.length - this.head >= this.sendsMax) {
      const message = `${this.sendsMax} sends wait for room already; await some, or raise bufferBytes or maxWaitingSends`
      send.fail(new SeglogError('BUFFER_FULL', message, { retriable: true, topic: send.topic }))
      return
    }
    send.deadlineMs = performance.now() + this.timeoutMs
    this.queue.push(send)
    this.timer ??= setTimeout(this.expire, this.timeoutMs)
  }

  /** The first send made progress: its time starts anew. */
  renew(send: PendingSend): void {
    send.deadlineMs = performance.now() + this.timeoutMs
  }

  leave(): void {
    this.queue[this.head++] = undefined as never
    if (this.head === this.queue.length) {
      this.queue = []
      this.head = 0
      if (this.timer !== null) clearTimeout(this.timer)
      this.timer = null
    } else if (this.head >= 1024 && this.head * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
  }

  /** Fails every send to a topic, or every send. */
  fail(error: SeglogError, topic?: string): void {
    const failed = this.queue.slice(this.head).filter((send) => topic === undefined || send.topic === topic)
    for (const send of failed) send.fail(error)
    this.dropSettled()
  }

  private dropSettled(): void {
    while (this.head < this.queue.length && this.queue[this.head].isOver) this.leave()
  }

  private readonly expire = (): void => {
    this.timer = null
    const now = performance.now()
    for (let first = this.first; first !== null && first.deadlineMs <= now; first = this.first) {
      const why = this.isUnknown(first.topic)
        ? `heard nothing of its topic for ${this.timeoutMs} ms; see whether the brokers can be reached`
        : `found no room for ${this.timeoutMs} ms; send slower or raise bufferBytes`
      const message = `a send to ${first.topic} ${why}`
      first.fail(new SeglogError('TIMED_OUT', message, { retriable: true, topic: first.topic }))
    }
    const first = this.first
    if (first !== null) this.timer = setTimeout(this.expire, Math.max(1, first.deadlineMs - now))
  }
}

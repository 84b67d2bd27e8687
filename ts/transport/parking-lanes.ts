import type { SeglogError } from '../errors/seglog-error.js'
import type { TcpConnection } from './tcp-connection.js'
import type { TcpLane } from './tcp-lane.js'

/** Connections that may be kept for answers nobody waits for any more; beyond, the oldest is closed. */
const abandonedMax = 2

/**
 * Connections for requests that a broker may keep waiting: each has one to itself, since a broker answers in order. One
 * whose caller gave up goes on waiting for its answer, and serves again when that has come.
 */
export class ParkingLanes {
  /** The one used longest ago first. */
  private lanes: TcpLane[] = []

  constructor(
    private readonly lanesMax: number,
    private readonly newLane: () => TcpLane,
  ) {}

  get load(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.load, 0)
  }

  get isConnected(): boolean {
    return this.lanes.some((lane) => lane.isConnected)
  }

  run<T>(
    work: (connection: TcpConnection) => Promise<T>,
    what: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<T> {
    const lane = this.choose()
    this.lanes = [...this.lanes.filter((one) => one !== lane), lane]
    const result = lane.run(work, what, timeoutMs, signal)
    if (signal !== undefined) result.catch(() => this.dropAbandoned())
    return result
  }

  close(reason: SeglogError): void {
    for (const lane of this.lanes) lane.close(reason)
  }

  private choose(): TcpLane {
    const idle = this.lanes.filter(({ load }) => load === 0)
    const free = idle.find(({ isConnected }) => isConnected) ?? idle[0]
    if (free !== undefined) return free
    if (this.lanes.length < this.lanesMax) return this.newLane()
    return this.lanes.reduce((least, lane) => (lane.load < least.load ? lane : least))
  }

  private dropAbandoned(): void {
    const abandoned = this.lanes.filter((lane) => lane.abandoned > 0 && lane.abandoned === lane.load)
    for (const lane of abandoned.slice(0, Math.max(0, abandoned.length - abandonedMax))) lane.drop()
  }
}

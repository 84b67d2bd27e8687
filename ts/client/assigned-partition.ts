import type { SeglogError } from '../errors/seglog-error.js'
import type { Reset } from './consumer-options.js'

/**
 * One partition a consumer reads: how far its records were consumed, how far they were fetched, and what waits between.
 * Whatever moves the position (seek, pause in mid-batch, a broken loop) raises `generation`: what was fetched before is
 * then void.
 */
export class AssignedPartition {
  /** Offset of the first record that is not consumed; the record in a loop's hand is not. */
  position: number
  /** Offset of the next fetch. */
  fetchOffset: number
  /** Fetched and not yet begun. */
  fetched: Buffer | null = null
  /** To be thrown by the loop that comes to it. */
  error: SeglogError | null = null
  paused = false
  /** On its way to this consumer or away from it: not to be read at the moment. */
  held = false
  /** Leader epoch of the last consumed record; -1 for unknown. */
  positionEpoch = -1
  /** What the group knows of the position; -1 for nothing. */
  committed = -1
  /** What the application committed itself since it last moved the position; -1 for nothing. */
  committedByHand = -1
  /** The feed that is giving what was fetched of it: while it does, no other may, or records would come out of order. */
  reader: object | null = null
  /** Its position is being looked up. */
  resetting = false
  generation = 0
  /** Of the last fetched batch; -1 where nothing was fetched from the position on. */
  fetchEpoch = -1
  /** Not to be asked for until a pause after a failure is over. */
  resting = false
  /** Fetches that failed one after the other, and since when. */
  failures = 0
  failingSinceMs = 0

  constructor(
    readonly topic: string,
    readonly topicId: string,
    readonly partition: number,
    offset: number,
    readonly reset: Reset,
  ) {
    this.position = offset
    this.fetchOffset = offset
  }

  /** Nothing of it is to be given. */
  get isHalted(): boolean {
    return this.paused || this.held
  }

  /** There is nothing of it to read before the next fetch. */
  get isHungry(): boolean {
    return !this.isHalted && !this.resetting && !this.resting && this.fetched === null && this.error === null
  }

  /** Leader epoch of the record before `fetchOffset`, -1 for unknown. */
  get lastFetchedEpoch(): number {
    return this.fetchEpoch >= 0 ? this.fetchEpoch : this.positionEpoch
  }

  moveTo(offset: number): void {
    this.position = offset
    this.positionEpoch = -1
    this.committedByHand = -1
    this.restart()
  }

  /** Forgets what was fetched: reading goes on at the position. */
  restart(): void {
    this.fetchOffset = this.position
    this.fetchEpoch = -1
    this.fetched = null
    this.error = null
    this.generation++
  }
}

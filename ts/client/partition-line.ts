import type { PartitionQueue } from './partition-queue.js'
import type { ProduceBatch } from './produce-batch.js'
import type { ProducerSession, ProducerSessions } from './producer-sessions.js'

const sequences = 0x8000_0000
/** As many batches of a partition as a broker remembers of a producer. */
export const rememberedBatches = 5

/**
 * One partition's batches over a network: those that wait and those under way, both in the order they were filled. A
 * batch keeps its number however often it is sent, so that the broker can tell a repetition; only batches that the broker
 * has refused for the order of their numbers get new ones, under a new epoch, once nothing is under way.
 */
export class PartitionLine {
  /** In order; those that come back stand before those that came later. */
  readonly waiting: ProduceBatch[] = []
  readonly inFlight: ProduceBatch[] = []
  /** Where those under way went. */
  node = -1
  /** Nothing leaves before, in milliseconds of `performance.now`. */
  restsUntilMs = 0
  /** Since when every answer was that the topic is unknown; 0 if that is not so. */
  unknownSinceMs = 0
  private nextOrder = 0
  private session: ProducerSession | null = null
  /** The one of which the broker has stored a batch. */
  private knownSession: ProducerSession | null = null
  private nextSequence = 0
  private nextPlace = 0
  private gap = false

  constructor(readonly queue: PartitionQueue) {}

  /**
   * The first that waits is too far ahead of one whose fate is unknown: were both stored, the broker would no longer know
   * the older one for a repetition. A request may hang while later ones are answered.
   */
  get isTooFarAhead(): boolean {
    let oldest = Number.POSITIVE_INFINITY
    for (const { session, place } of this.inFlight) if (session !== null) oldest = Math.min(oldest, place)
    const { session, place } = this.waiting[0]
    return (session === null ? this.nextPlace : place) - oldest >= rememberedBatches
  }

  /**
   * No batch may leave before those under way are answered: the numbers of a lost one are missing, or batches are being
   * sent again. Those go one by one, and no new one before all of them are stored, which keeps their order also where
   * they are not numbered. Nor is there a second one beside the first of a session: a broker that has nothing of it takes
   * any number for the first, and would store what comes behind a batch that it could not take (KAFKA-14359).
   */
  get isBlocked(): boolean {
    if (this.inFlight.length === 0) return false
    if (this.inFlight.some(({ session }) => session !== null && session !== this.knownSession)) return true
    return this.gap || this.waiting[0].attempts > 0 || this.inFlight.some(({ attempts }) => attempts > 1)
  }

  /** A new batch, or one that comes back: it goes where its place is. */
  add(batch: ProduceBatch): void {
    if (batch.order < 0) batch.order = this.nextOrder++
    let at = this.waiting.length
    while (at > 0 && this.waiting[at - 1].order > batch.order) at--
    this.waiting.splice(at, 0, batch)
  }

  /** Takes out one that waits. */
  remove(batch: ProduceBatch): void {
    const at = this.waiting.indexOf(batch)
    if (at >= 0) this.waiting.splice(at, 1)
  }

  /** Takes the first that waits. */
  depart(node: number): ProduceBatch {
    const batch = this.waiting.shift()!
    this.node = node
    batch.attempts++
    this.inFlight.push(batch)
    return batch
  }

  /** A batch under way was answered, or will never be. */
  arrived(batch: ProduceBatch): void {
    this.inFlight.splice(this.inFlight.indexOf(batch), 1)
  }

  /** The broker has stored it, and knows by it which number comes next. */
  stored({ session }: ProduceBatch): void {
    if (session !== null) this.knownSession = session
  }

  /** True if no batch that is still to be stored was filled before this one. */
  isFirst({ order }: ProduceBatch): boolean {
    if (this.waiting.length > 0 && this.waiting[0].order < order) return false
    return !this.inFlight.some((one) => one.order < order)
  }

  /** The numbers of a batch will never be stored: what follows needs new ones. */
  breakOff(): void {
    this.gap = true
  }

  /** Gives the first that waits its number, unless it has one. There must be a session, and the line must not be blocked. */
  number(sessions: ProducerSessions): void {
    if (this.gap) this.beginAnew(sessions)
    const batch = this.waiting[0]
    if (batch.session !== null || sessions.current === null) return
    // A session that began for another partition's sake is taken up when no number of the old one is out.
    if (this.session === null || (this.session !== sessions.current && !this.inFlight.some(isNumbered))) {
      this.session = sessions.current
      this.nextSequence = 0
    }
    batch.give(this.session ?? sessions.current, this.nextSequence)
    batch.place = this.nextPlace++
    this.nextSequence = (this.nextSequence + batch.count) % sequences
  }

  private beginAnew(sessions: ProducerSessions): void {
    if (this.session === sessions.current) sessions.raiseEpoch()
    for (const batch of this.waiting) batch.session = null
    this.session = null
    this.gap = false
  }
}

function isNumbered({ session }: ProduceBatch): boolean {
  return session !== null
}

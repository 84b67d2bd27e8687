import type { AssignedPartition } from './assigned-partition.js'
import { Signal } from './group/signal.js'

/** What a loop has given out and not heard of since. */
export interface InHand {
  readonly partition: AssignedPartition
  /** Of the record, or of the first of the batch. */
  readonly offset: number
}

/** A loop as those see it who wait for what it holds. */
export interface Hand {
  readonly inHand: InHand | null
  /** Counts what is in hand as consumed, before the next is asked for. */
  consume(): void
}

/** What the loops of one consumer hold, so that a partition is not given up under a handler's feet. */
export class ConsumerHands {
  private readonly hands = new Set<Hand>()
  private readonly waiting = new Set<() => void>()

  enter(hand: Hand): void {
    this.hands.add(hand)
  }

  leave(hand: Hand): void {
    this.hands.delete(hand)
    this.changed()
  }

  get held(): InHand[] {
    return [...this.hands].flatMap(({ inHand }) => inHand ?? [])
  }

  /** A loop runs, whether it holds something or waits. */
  get isReading(): boolean {
    return this.hands.size > 0
  }

  consume(): void {
    for (const hand of this.hands) hand.consume()
  }

  /** To be called when a loop lets go of something of a partition that is to be given up. */
  changed(): void {
    for (const look of this.waiting) look()
  }

  /** Resolves when no loop holds anything of these partitions, or `over` happens. */
  async untilFree(partitions: readonly AssignedPartition[], over: Signal): Promise<void> {
    const free = new Signal()
    const look = () => {
      if (!this.held.some(({ partition }) => partitions.includes(partition))) free.set()
    }
    look()
    this.waiting.add(look)
    await over.unless(free.happened)
    this.waiting.delete(look)
  }
}

import type { AssignedPartition } from './assigned-partition.js'

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

  /** Resolves when no loop holds anything of these partitions. */
  async untilFree(partitions: readonly AssignedPartition[], over: Promise<unknown>): Promise<void> {
    const isFree = () => !this.held.some(({ partition }) => partitions.includes(partition))
    if (isFree()) return
    let look = () => {}
    const free = new Promise<void>((resolve) => {
      look = () => {
        if (isFree()) resolve()
      }
    })
    this.waiting.add(look)
    await Promise.race([free, over])
    this.waiting.delete(look)
  }
}

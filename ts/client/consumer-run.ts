import type { ConsumerBatch } from './consumer-batch.js'
import { BatchLoop, type LoopHost, MessageLoop } from './consumer-loop.js'
import type { ConsumerMessage } from './consumer-message.js'

/** What `run` calls; it waits for the promise before it goes on with the partition. */
export interface RunHandlers {
  eachMessage?: (message: ConsumerMessage) => unknown
  eachBatch?: (batch: ConsumerBatch) => unknown
  /** How many partitions may be worked on at once (default 1). Within each, one after the other. */
  concurrency?: number
}

/** Calls the handlers from several loops at once, until they end or one of them fails. */
export class ConsumerRun {
  private failure: { readonly error: unknown } | null = null

  constructor(
    private readonly handlers: RunHandlers,
    /** Wakes loops that wait, to see that it is over. */
    private readonly wake: () => void,
  ) {}

  get hasFailed(): boolean {
    return this.failure !== null
  }

  /** Resolves when all loops have ended; rejects with what went wrong first, when the other handlers are done. */
  async through(hosts: readonly LoopHost[]): Promise<void> {
    await Promise.all(hosts.map((host) => this.work(host)))
    if (this.failure !== null) throw this.failure.error
  }

  private async work(host: LoopHost): Promise<void> {
    const { eachMessage, eachBatch } = this.handlers
    try {
      if (eachMessage !== undefined) {
        for await (const message of new MessageLoop(host)) {
          const done = eachMessage(message)
          if (mustWait(done)) await done
        }
      } else if (eachBatch !== undefined) {
        for await (const batch of new BatchLoop(host)) await eachBatch(batch)
      }
    } catch (error) {
      this.failure ??= { error }
      this.wake()
    } finally {
      host.feed.release()
    }
  }
}

/** Awaiting what is no promise costs a turn for each message. */
function mustWait(done: unknown): boolean {
  return typeof done === 'object' && done !== null && 'then' in done
}

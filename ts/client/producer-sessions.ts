import { apiKey, type RequestOf } from '../protocol/apis.js'
import { throwErrorOf } from './response-error.js'
import type { Transport } from './transport.js'

/** Under which a producer numbers its batches: with another epoch, numbers begin anew. */
export interface ProducerSession {
  readonly producerId: number
  readonly producerEpoch: number
}

const epochMax = 0x7fff

/** Asks for an id that nobody has had. */
export const initRequest: RequestOf<typeof apiKey.initProducerId> = {
  transactionalId: null,
  transactionTimeoutMs: 0,
  producerId: -1n,
  producerEpoch: -1,
  enable2Pc: false,
  keepPreparedTxn: false,
}

/**
 * The producer id of an idempotent producer over a network. After a loss the epoch is raised rather than another id taken:
 * a lost batch that is still on its way is then refused when it arrives.
 */
export class ProducerSessions {
  private session: ProducerSession | null = null
  private asking = false

  constructor(private readonly transport: Transport) {}

  /** Null while there is none: `ask`. */
  get current(): ProducerSession | null {
    return this.session
  }

  /** Begins another epoch; past the last one there is no session until the broker gave another id. */
  raiseEpoch(): void {
    if (this.session === null) return
    const { producerId, producerEpoch } = this.session
    this.session = producerEpoch < epochMax ? { producerId, producerEpoch: producerEpoch + 1 } : null
  }

  /** Asks for an id; `done` is called once, with the error if there was one. Nothing happens while asking already. */
  ask(done: (error: unknown) => void): void {
    if (this.asking) return
    this.asking = true
    this.begin().then(
      () => this.end(done, null),
      (error) => this.end(done, error),
    )
  }

  private async begin(): Promise<void> {
    const response = await this.transport.request(apiKey.initProducerId, initRequest)
    throwErrorOf(response)
    this.session = { producerId: Number(response.producerId), producerEpoch: response.producerEpoch }
  }

  private end(done: (error: unknown) => void, error: unknown): void {
    this.asking = false
    done(error)
  }
}

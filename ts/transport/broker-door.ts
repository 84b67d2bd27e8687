import { backOffMs } from '../client/back-off.js'
import { asSeglogError } from '../client/settle-errors.js'
import type { Logger } from '../log/logger.js'
import { unsentError } from './connection-error.js'
import type { Pauses } from './pauses.js'
import { type Address, addressName } from './tcp-address.js'
import { TcpConnection } from './tcp-connection.js'
import type { TcpSettings } from './tcp-settings.js'
import type { TopicIds } from './topic-ids.js'

/** What every connection of a transport shares. */
export interface ConnectionSource {
  readonly settings: TcpSettings
  readonly topicIds: TopicIds
  readonly pauses: Pauses
  readonly logger: Logger
}

/**
 * Makes the connections to one broker. After a failure the next attempt is put off, longer each time, whoever asks for
 * it; what is asked meanwhile waits for that attempt.
 */
export class BrokerDoor {
  readonly name: string
  private failures = 0
  private nextAttemptMs = 0
  private readonly controller = new AbortController()

  constructor(
    readonly address: Address,
    private readonly source: ConnectionSource,
  ) {
    this.name = addressName(address)
  }

  /** The last attempt failed. */
  get isFailing(): boolean {
    return this.failures > 0
  }

  /** Rejects with what `TcpConnection.open` does: nothing was sent. */
  async connect(): Promise<TcpConnection> {
    const { settings, topicIds, pauses, logger } = this.source
    const waitMs = this.nextAttemptMs - performance.now()
    if (waitMs > 0) await pauses.wait(waitMs)
    try {
      const connection = await TcpConnection.open(this.address, settings, topicIds, this.controller.signal)
      if (this.failures > 0) logger.info({ broker: this.name, failures: this.failures }, 'the broker is there again')
      this.failures = 0
      return connection
    } catch (thrown) {
      const err = asSeglogError(thrown)
      if (++this.failures === 1) logger.warn({ broker: this.name, err }, 'the broker cannot be reached')
      this.nextAttemptMs = performance.now() + backOffMs(settings.backOff, this.failures)
      throw unsentError(err)
    }
  }

  /** Gives up attempts under way. */
  close(): void {
    this.controller.abort()
  }
}

/**
 * The broker that a foreign client is tried on: Seglog, or Apache Kafka as the referee that shows the tests right.
 *   SEGLOG_INTEROP_BROKER=kafka   the referee (needs Java and Maven)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaBroker } from '../kafka.js'
import { SeglogBroker } from './seglog-broker.js'

export interface StartOptions {
  /** Where clients are told to find it, `host:port`, when something stands between. */
  advertise?: string
  /** Broker configs by Kafka's names. */
  config?: Record<string, string>
  /** Listen where the last start did: a restart as clients see it. */
  samePort?: boolean
}

export interface BrokerUnderTest {
  readonly name: 'seglog' | 'kafka'
  /** The data directory: Kafka's layout in both. */
  readonly data: string
  /** `host:port` it listens on. */
  readonly bootstrap: string
  /** Resolves once it takes connections. */
  start(options?: StartOptions): Promise<void>
  /** Ends it and waits until it is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** What it printed since its last start. */
  output(): string
}

export const refereeIsAsked = process.env.SEGLOG_INTEROP_BROKER === 'kafka'

/** A broker over a new directory, not started; `remove` stops it and deletes the directory. */
export function newBroker(): BrokerUnderTest & { remove(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-broker-'))
  const broker = refereeIsAsked ? new KafkaBroker(folder) : new SeglogBroker(join(folder, 'data'))
  return Object.assign(broker, {
    remove: async () => {
      await broker.stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

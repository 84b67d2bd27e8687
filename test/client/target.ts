import { inject, onTestFinished } from 'vitest'
import { open, type SeglogLog } from '../../ts/index.js'
import { listen } from '../../ts/server/listen.js'
import { quickHeartbeats as config } from './group-setup.js'

/**
 * Where the client's tests run: in this process, against our own server, or against Apache Kafka. One file of tests
 * serves all of them; what only an embedded log can do is tested in files of its own, which use `openMemory`.
 */
export type Target = 'memory' | 'serve' | 'kafka'

const targets: readonly Target[] = ['memory', 'serve', 'kafka']

/** From the variable SEGLOG_TEST_TARGET; memory unless it says otherwise. */
export const target = targetNamed(process.env.SEGLOG_TEST_TARGET ?? 'memory')

/** An empty log of the target under test, closed when the test ends. */
export async function openTarget(): Promise<SeglogLog> {
  const log = await open(await addressOf(target), target === 'memory' ? { config } : {})
  onTestFinished(() => log.close())
  if (target === 'kafka') await empty(log)
  return log
}

/** What to open; a server of its own for each test. */
async function addressOf(wanted: Target): Promise<string> {
  if (wanted === 'memory') return 'memory:'
  if (wanted === 'kafka') return `kafka://${inject('bootstrap')}`
  const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }]
  const server = await listen({ data: 'memory:', listeners, config })
  onTestFinished(() => server.close())
  return `kafka://127.0.0.1:${server.listeners[0]!.port}`
}

/** What earlier tests left on a cluster that all of them use. */
async function empty(log: SeglogLog): Promise<void> {
  const admin = log.admin()
  const topics = await admin.listTopics()
  if (topics.length > 0) await admin.deleteTopics({ topics, ifExists: true })
}

function targetNamed(name: string): Target {
  const found = targets.find((one) => one === name)
  if (found === undefined) throw new Error(`SEGLOG_TEST_TARGET is ${name}, not one of ${targets.join(', ')}`)
  return found
}

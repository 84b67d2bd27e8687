import { onTestFinished } from 'vitest'
import { open, type SeglogLog } from '../../ts/index.js'

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
  if (target !== 'memory') throw new Error(`the target ${target} is not there yet`)
  const log = await open('memory:')
  onTestFinished(() => log.close())
  return log
}

function targetNamed(name: string): Target {
  const found = targets.find((one) => one === name)
  if (found === undefined) throw new Error(`SEGLOG_TEST_TARGET is ${name}, not one of ${targets.join(', ')}`)
  return found
}

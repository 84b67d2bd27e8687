import { onTestFinished } from 'vitest'
import { type OpenOptions, open, type SeglogLog } from '../../ts/index.js'

/** A log in memory that is closed when the test ends; for tests of what only an embedded log can do. */
export async function openMemory(options?: OpenOptions): Promise<SeglogLog> {
  const log = await open('memory:', options)
  onTestFinished(() => log.close())
  return log
}

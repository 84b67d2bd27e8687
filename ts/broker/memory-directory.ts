import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../log/logger.js'

/** What `open` takes for a log in memory. */
export const memoryTarget = 'memory:'

const sharedMemory = '/dev/shm'
const tmpfsMagic = 0x01021994

/** The folder behind `memory:`: the same engine on a file system in memory. */
export interface MemoryDirectory {
  readonly path: string
  /** Idempotent; also done when the process exits. */
  remove(): void
}

/** Makes an empty folder in shared memory, or with a warning in the temporary directory where there is none. */
export function makeMemoryDirectory(logger: Logger): MemoryDirectory {
  const parent = isWritableTmpfs(sharedMemory) ? sharedMemory : tmpdir()
  if (parent !== sharedMemory)
    logger.warn({ path: parent }, `memory: has no ${sharedMemory} to use and lies in ${parent}`)
  const path = mkdtempSync(join(parent, `seglog-${process.pid}-`))
  const remove = (): void => {
    process.off('exit', remove)
    rmSync(path, { recursive: true, force: true })
  }
  process.on('exit', remove)
  return { path, remove }
}

function isWritableTmpfs(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return statfsSync(path).type === tmpfsMagic
  } catch {
    return false
  }
}

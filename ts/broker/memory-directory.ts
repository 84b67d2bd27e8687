import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../log/logger.js'

/** What `open` takes for a log in memory. */
export const memoryTarget = 'memory:'

const sharedMemory = '/dev/shm'
const tmpfsMagic = 0x01021994

/** Those that are there now. One listener removes them all: of more than ten a process warns as of a leak. */
const present = new Set<string>()

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
  if (present.size === 0) process.on('exit', removeAll)
  present.add(path)
  return { path, remove: () => removeFolder(path) }
}

function removeFolder(path: string): void {
  if (present.delete(path) && present.size === 0) process.off('exit', removeAll)
  rmSync(path, { recursive: true, force: true })
}

function removeAll(): void {
  for (const path of present) removeFolder(path)
}

function isWritableTmpfs(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return statfsSync(path).type === tmpfsMagic
  } catch {
    return false
  }
}

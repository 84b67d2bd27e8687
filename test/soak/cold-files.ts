import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.js'
import type { SoakWorld } from './soak-world.js'

const pauseMs = 700
const filesAtOnce = 6

/**
 * Until the round ends: closed segments are written to disk and dropped from the page cache, so that readers of old
 * records find cold files.
 */
export async function keepFilesCold(world: SoakWorld, data: string, random: Random): Promise<void> {
  while (!world.isEnding) {
    await sleep(pauseMs)
    const closed = closedSegments(data)
    const files = Array.from({ length: Math.min(filesAtOnce, closed.length) }, () => random.of(closed))
    for (const file of files) {
      // Nothing is copied: that call only syncs the file and gives its pages up. It may have been deleted by now.
      const drop = spawn('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,nocreat,fdatasync', 'count=0'], {
        stdio: 'ignore',
      })
      const [code] = await once(drop, 'exit')
      if (code === 0) world.count('files made cold')
    }
  }
}

/** All but the last segment of each partition. */
function closedSegments(data: string): string[] {
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = join(data, name)
      try {
        const segments = readdirSync(folder).filter((file) => file.endsWith('.log'))
        return segments
          .sort()
          .slice(0, -1)
          .map((file) => join(folder, file))
      } catch {
        return []
      }
    })
}

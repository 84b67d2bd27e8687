/**
 * What a cold replay costs those who produce: the latency of acknowledgements at 30% of the slower server's capacity,
 * alone, and while a reader takes 2 GB that lie on the disk and no longer in the page cache.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { load } from '../lib/load.mjs'
import { latencyShape } from './latency.mjs'
import { closedLoop } from './produce.mjs'
import { freshTopic } from './topics.mjs'
import { cost, milliseconds, rate } from './units.mjs'

const megabytes = 2000
const names = {
  alone: "replay: producers' p99 without it",
  beside: "replay: producers' p99 during it",
  damage: "replay: producers' p99 during it, times that without",
  speed: 'replay: cold read MB/s',
}

export const replayScenarios = [
  {
    group: 'replay',
    rows: {
      [names.alone]: milliseconds,
      [names.beside]: milliseconds,
      [names.damage]: cost('times'),
      [names.speed]: rate('MB/s'),
    },
    megabytes,
    async run(server, scale, { capacity }) {
      const cold = freshTopic('cold')
      const old = {
        topic: cold,
        create: 1,
        'record-bytes': 1024,
        'batch-bytes': 1_000_000,
        bytes: megabytes * 1e6 * scale,
      }
      await load(server, 'produce', { ...closedLoop, ...old })
      const open = { ...latencyShape, rate: Math.max(1, Math.round(capacity * 0.3)), 'warm-seconds': 2 * scale }
      const alone = await load(server, 'latency', { ...open, topic: freshTopic('alone'), seconds: 5 * scale })
      dropFromCache(join(server.dataFolder, `${cold}-0`))
      const beside = await load(server, 'latency', { ...open, topic: freshTopic('beside'), 'replay-topic': cold })
      return {
        [names.alone]: alone.ack_p99_us / 1000,
        [names.beside]: beside.ack_p99_us / 1000,
        [names.damage]: beside.ack_p99_us / alone.ack_p99_us,
        [names.speed]: beside.replayed_mb_s,
      }
    },
  },
]

/** Writes the segments back and lets the page cache forget them, except what a server has mapped. */
function dropFromCache(folder) {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    const path = join(folder, file)
    const descriptor = openSync(path, 'r+')
    fsyncSync(descriptor)
    closeSync(descriptor)
    const { status } = spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'])
    if (status !== 0) throw new Error(`dd could not drop ${path} from the page cache`)
  }
}

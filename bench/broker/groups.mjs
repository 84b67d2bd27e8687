/**
 * Rows that share a server: where its data lies, whether acks=all means on disk, and what it serves before anything is
 * counted. Cached rows lie in memory (tmpfs) where the machine has it, since the disk is not their subject.
 */
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { load } from '../lib/load.mjs'
import { capacityOf } from './latency.mjs'
import { closedLoop } from './produce.mjs'
import { smallRequests } from './small-requests.mjs'
import { freshTopic } from './topics.mjs'

const tmpfsMagic = 0x01021994
const memoryNeeded = 10e9

const disk = process.env.SEGLOG_BENCH_DIR ?? tmpdir()

function inMemory() {
  try {
    const { type, bavail, bsize } = statfsSync('/dev/shm')
    return type === tmpfsMagic && bavail * bsize > memoryNeeded
  } catch {
    return false
  }
}

export const memory = inMemory() ? '/dev/shm' : disk

/** Enough of each kind of request for both virtual machines to have compiled what serves it. */
async function warm(server, scale) {
  const bulk = { ...closedLoop, topic: freshTopic('warm'), create: 4, 'record-bytes': 1024 }
  const { records } = await load(server, 'produce', { ...bulk, 'batch-bytes': 100_000, bytes: 400e6 * scale })
  await load(server, 'consume', { topic: bulk.topic, consumers: 4, 'record-bytes': 1024, expect: records })
  const small = { ...smallRequests, topic: freshTopic('warm'), create: 4 }
  await load(server, 'produce', { ...small, seconds: 4 * scale })
  await capacityOf(server, scale)
}

async function warmFlushes(server, scale) {
  const small = { ...smallRequests, topic: freshTopic('warm'), create: 16 }
  await load(server, 'produce', { ...small, seconds: 5 * scale })
}

export const groups = {
  produce: { folder: memory, flushed: false, warm, memoryRow: 'resident memory after the produce rows' },
  consume: { folder: memory, flushed: false, warm },
  latency: { folder: memory, flushed: false, warm, needsCapacity: true },
  create: { folder: memory, flushed: false, warm },
  flushed: { folder: disk, flushed: true, warm: warmFlushes },
  replay: { folder: disk, flushed: false, warm, needsCapacity: true, config: { 'log.segment.bytes': 128 << 20 } },
  foreign: { folder: memory, flushed: false, warm, mostRounds: 2 },
}

/**
 * From a file in the page cache to a socket on loopback, three ways: read + write (the traditional path), write of a
 * mapping, sendfile. Of each: copies made by the CPU on the sending side (known from the way itself; the disk and the
 * network card make one each without the CPU), system calls, changes between user and kernel mode (two a call), and the
 * CPU seconds of the sending thread per GB. Sender and receiver on a core each; every byte that arrives is checked.
 * Loopback favours what copies: there is no card that could fetch the bytes by itself.
 */
import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { buildZeroCopy, zeroCopyProgram } from '../scripts/build-bench.mjs'
import { median, withFolder } from './lib/rounds.mjs'

export const saved = true

const rounds = 5
const ways = ['read + write', 'mapped write', 'sendfile']
const chunks = { '16 KiB': 16 << 10, '64 KiB': 64 << 10, '1 MiB': 1 << 20 }
const fileMegabytes = 256

const rows = {
  'MB/s': { unit: 'MB/s', of: ({ mb_s }) => mb_s, more: true },
  'CPU-s/GB': { unit: 's/GB', of: ({ cpu_s_gb }) => cpu_s_gb },
  'copies by the CPU': { unit: 'copies', of: ({ copies }) => copies },
  'system calls/GB': { unit: 'calls', of: ({ calls_gb }) => calls_gb },
  'mode switches a chunk': { unit: 'switches', of: ({ calls_chunk }) => 2 * calls_chunk },
  'thread switches/GB': { unit: 'switches', of: ({ waits_gb, preempted_gb }) => waits_gb + preempted_gb },
}

export async function run(report) {
  await buildZeroCopy()
  await withFolder(async (folder) => {
    const file = join(folder, 'sent')
    fill(file)
    for (const [chunk, bytes] of Object.entries(chunks)) {
      const runs = Object.fromEntries(ways.map((way) => [way, []]))
      for (let round = 0; round < rounds; round += 1) for (const way of ways) runs[way].push(send(file, way, bytes))
      for (const [row, { unit, of, more }] of Object.entries(rows)) {
        const figures = Object.fromEntries(ways.map((way) => [way, median(runs[way].map(of))]))
        for (const way of ways) reportRow(report, `${way} ${chunk}: ${row}`, unit, more, figures, way)
      }
    }
  })
}

/** Against the traditional path, which itself stands alone. */
function reportRow(report, name, unit, more, figures, way) {
  const [value, peerValue] = [figures[way], figures['read + write']]
  if (way === 'read + write') return report({ name, value, unit })
  const ratio = more ? value / peerValue : value === 0 ? null : peerValue / value
  report({ name, value, unit, peer: 'read + write', peerValue, ratio })
}

function fill(file) {
  const block = randomFillSync(Buffer.alloc(1 << 20))
  const descriptor = openSync(file, 'w')
  for (let i = 0; i < fileMegabytes; i += 1) writeSync(descriptor, block)
  closeSync(descriptor)
}

function send(file, way, chunkBytes) {
  const last = cpus().length - 1
  const places = [`send-cpu=${last}`, `receive-cpu=${Math.max(0, last - 1)}`]
  const args = [file, `way=${way}`, `chunk-bytes=${chunkBytes}`, 'bytes=2000000000', ...places]
  const { status, stdout, stderr } = spawnSync(zeroCopyProgram, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`zero-copy ${args.join(' ')}: ${stderr}`)
  return JSON.parse(stdout)
}

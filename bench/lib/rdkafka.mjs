/**
 * librdkafka's own performance tool, so that the server is what a figure shows: a Java client on one core is busy long
 * before either server is. Debian ships the tool as source in librdkafka-dev; it is built against the installed library.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientCores } from './servers.mjs'

const folder = fileURLToPath(new URL('../../node_modules/.cache/bench/rdkafka/', import.meta.url))
const tool = join(folder, 'rdkafka_performance')

/** What the tool takes from librdkafka's source tree, which is not in the package. */
const shim = `#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <getopt.h>
#define RD_UNUSED __attribute__((unused))
#define RD_INLINE inline
#define RD_MAX(a, b) ((a) > (b) ? (a) : (b))
#define RD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define rd_snprintf snprintf
typedef int64_t rd_ts_t;
static inline rd_ts_t rd_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (rd_ts_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
`

/** Builds the tool once; throws with what is missing. */
export function buildRdkafka() {
  if (existsSync(tool)) return
  mkdirSync(join(folder, 'src'), { recursive: true })
  mkdirSync(join(folder, 'examples'), { recursive: true })
  step('apt-get', ['download', 'librdkafka-dev'])
  step('dpkg', ['-x', readdirSync(folder).find((name) => name.endsWith('.deb')), '.'])
  writeFileSync(join(folder, 'src', 'rd.h'), shim)
  writeFileSync(join(folder, 'src', 'rdtime.h'), '')
  const source = join('usr', 'share', 'doc', 'librdkafka-dev', 'examples', 'rdkafka_performance.c')
  const headers = ['-Iexamples', '-Isrc', '-Iusr/include/librdkafka']
  step('gcc', ['-O2', '-w', '-D_GNU_SOURCE', ...headers, source, '-l:librdkafka.so.1', '-o', tool])
}

function step(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  if (error) throw new Error(`needs ${program}: apt-get install gcc librdkafka1 (on Debian)`)
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${stdout}${stderr} (needs gcc and librdkafka1, on Debian)`)
}

async function run(args) {
  const child = spawn('taskset', ['-c', clientCores, tool, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`rdkafka_performance exited ${code}: ${output}`)
  return output
}

/** Produces with acks=all until every record is acknowledged; resolves to megabytes per second. */
export async function produce(bootstrap, topic, records, size) {
  const settings = ['linger.ms=5', 'batch.size=1000000', 'queue.buffering.max.messages=1000000']
  const waits = ['topic.metadata.refresh.interval.ms=100']
  const output = await run([
    ...['-P', '-b', bootstrap, '-t', topic, '-p', '0', '-s', String(size), '-c', String(records), '-a', '-1'],
    ...['-q', '-u', '-T', '100000', ...[...settings, ...waits].flatMap((one) => ['-X', one])],
  ])
  // Columns: elapsed ms, messages, bytes, round trip, delivered, …; the last line is the end's.
  const line = [...output.matchAll(/^\|[ \d.|]+$/gm)].at(-1)?.[0] ?? ''
  const [elapsed, , , , delivered] = line.split('|').slice(1).map(Number)
  if (delivered !== records) throw new Error(`${delivered} of ${records} records were delivered: ${output}`)
  return (records * size) / 1e6 / (elapsed / 1000)
}

/** Consumes so many records from the beginning; resolves to megabytes per second. */
export async function consume(bootstrap, topic, records, size) {
  const place = ['-C', '-b', bootstrap, '-t', topic, '-p', '0', '-o', 'beginning', '-c', String(records)]
  const output = await run([...place, '-q', '-T', '100000'])
  const [, count, ms] = /(\d+) messages \(\d+ bytes\) consumed in (\d+)ms/.exec(output) ?? []
  if (Number(count) < records) throw new Error(`${count} of ${records} records came back: ${output}`)
  return (records * size) / 1e6 / (Number(ms) / 1000)
}

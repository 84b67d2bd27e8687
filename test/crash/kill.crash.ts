import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { FaultPlan } from '../../ts/native/engine.js'
import { brokenPromises, type Promised, parseAcks } from './acks.js'
import { bundleProgram, outcome, randomFrom, startProgram } from './child.js'
import type { WriterOptions } from './writer.js'

const cycles = Number(process.env.SEGLOG_KILL_CYCLES ?? 300)
const writer = bundleProgram('writer')
const verifier = bundleProgram('verify')

/** A kill aimed at the work that a random moment seldom hits. */
const aimed: FaultPlan[] = [
  { kinds: ['truncate'], kill: true },
  { kinds: ['rename'], kill: true },
  { kinds: ['write'], pathIncludes: '.index', kill: true },
  { kinds: ['write'], pathIncludes: '.timeindex', kill: true },
  { kinds: ['open'], pathIncludes: '.log', kill: true },
  { kinds: ['reserve'], kill: true },
  { kinds: ['msync'], kill: true },
  { kinds: ['write'], pathIncludes: 'checkpoint', kill: true },
  { kinds: ['write'], pathIncludes: '.snapshot', kill: true },
  { kinds: ['write'], pathIncludes: '.journal', kill: true },
  { kinds: ['sync'], pathIncludes: '.journal', kill: true },
  { kinds: ['remove'], pathIncludes: '.journal', kill: true },
]

describe('kill -9', () => {
  const data = mkdtempSync(join(tmpdir(), 'seglog-kill-'))
  const promised: Promised[] = []
  const random = randomFrom(Number(process.env.SEGLOG_SEED ?? 20_261_122))
  let killed = 0
  let aimedHits = 0
  afterAll(() => rmSync(data, { recursive: true, force: true }))

  /** One life of the writer: started, killed (or ended by its own fault), its promises collected. */
  async function live(cycle: number): Promise<void> {
    const aim = cycle % 3 === 2 ? aimed[Math.floor(cycle / 3) % aimed.length] : undefined
    const options: WriterOptions = {
      data,
      cycle,
      seed: Math.floor(random() * 1e9),
      // Few partitions flush each by itself, more of them through the journal.
      writers: cycle % 2 === 0 ? 4 : 16,
      topics: ['orders', 'events'],
      partitions: 3,
      config: { 'segment.bytes': '1048576', 'index.interval.bytes': '1024', 'retention.ms': '-1' },
      acks: 'mixed',
      ...(aim ? { fault: { ...aim, failNth: 1 + Math.floor(random() * 6) } } : {}),
      ...(cycle % 10 === 9 ? { limit: 50 } : {}),
    }
    const child = startProgram(writer, options)
    const ended = outcome(child)
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), aim ? 1500 : 5 + random() * 120))
    const { output, errors, signal, code } = await ended
    if (signal === null && code !== 0) throw new Error(`cycle ${cycle}: the writer failed by itself: ${errors}`)
    if (signal === 'SIGKILL') killed += 1
    if (aim && signal === 'SIGKILL') aimedHits += 1
    for (const one of parseAcks(output)) promised.push(one)
  }

  test(`${cycles} cycles: nothing acknowledged is lost, nothing is there twice, log verify is clean`, async () => {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await live(cycle)
      if (cycle % 20 !== 19 && cycle !== cycles - 1 && cycle % 3 !== 2) continue
      const verify = spawnSync(process.execPath, [verifier, data], { encoding: 'utf8' })
      expect(verify.stdout + verify.stderr, `log verify after cycle ${cycle}`).not.toMatch(/fault/)
      if (cycle % 20 === 19 || cycle === cycles - 1) {
        expect(await brokenPromises(data, promised, ['1', 'all']), `after cycle ${cycle}`).toEqual([])
      }
    }
    expect(killed).toBeGreaterThan(cycles / 2)
    expect(promised.length).toBeGreaterThan(cycles * 10)
    if (cycles >= 50) expect(aimedHits).toBeGreaterThan(0)
  }, 3_000_000)
})

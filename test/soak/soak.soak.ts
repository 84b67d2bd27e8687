import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { leaksIn } from './leaks.js'
import { ServedProcess } from './served-process.js'
import { Soak, type SoakPlan } from './soak.js'
import { SoakWorld } from './soak-world.js'

const plan: SoakPlan = {
  seconds: Number(process.env.SEGLOG_SOAK_SECONDS ?? 60),
  connections: Number(process.env.SEGLOG_SOAK_CONNECTIONS ?? 200),
  seed: Number(process.env.SEGLOG_SEED ?? 20_261_125),
  configs: {
    'log.segment.bytes': '4194304',
    'max.incremental.fetch.session.cache.slots': '100',
    'seglog.transfer': process.env.SEGLOG_SOAK_TRANSFER ?? 'auto',
  },
}
/** The rounds that the plan's time leaves unfinished, on the slowest of machines. */
const testMs = (plan.seconds * 3 + 600) * 1000

describe.skipIf(process.platform !== 'linux')('a soak', () => {
  const data = mkdtempSync(join(tmpdir(), 'seglog-soak-'))
  let server: ServedProcess | null = null
  afterAll(() => {
    server?.kill()
    rmSync(data, { recursive: true, force: true })
  })

  const { seconds, connections } = plan
  const title = `${seconds} s of ${connections} connections that join, leave, stall, half-close and die: every byte is right, nothing leaks`
  test(title, { timeout: testMs }, async () => {
    const started = await ServedProcess.start(data, plan.configs)
    server = started.server
    const world = new SoakWorld(started.port)
    const soak = new Soak(world, server, plan)
    await soak.run()
    soak.record()
    expect(world.faults, server.complaints).toEqual([])
    expect(leaksIn(soak.samples)).toEqual([])
    expect(world.counts.get('audited batches')).toBeGreaterThan(0)
    expect(await server.stop(), server.complaints).toBe(0)
  })
})

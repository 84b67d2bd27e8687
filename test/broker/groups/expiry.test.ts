import { describe, expect, it } from 'vitest'
import { openEngine } from '../../../ts/native/open-engine.js'
import { temporaryDirectory } from '../harness.js'
import { turnOfTheLoop } from '../manual-timers.js'
import { sessionTimeoutMs, subscription, TestGroups } from './test-groups.js'

const minute = 60_000
const config = { 'offsets.retention.minutes': 60, 'offsets.retention.check.interval.ms': minute }

async function withTopics(): Promise<TestGroups> {
  const g = await TestGroups.open('memory:', { config })
  for (const topic of ['t', 'u']) await g.it.createTopic(topic, 2)
  return g
}

/** Lets time pass in steps. The last look at old offsets may take the disk's own time beyond it. */
async function pass(g: TestGroups, ms: number, each: () => Promise<unknown> = async () => {}): Promise<void> {
  for (let passed = 0; passed < ms; passed += sessionTimeoutMs / 2) {
    await each()
    await g.timers.advance(sessionTimeoutMs / 2)
    await turnOfTheLoop()
  }
}

describe('offsets past their time', () => {
  it('of a group that never had members go one by one, and the group with the last', async () => {
    const g = await withTopics()
    await g.commit({ t: 1 })
    await pass(g, 30 * minute)
    await g.commit({ u: 2 })
    await pass(g, 29 * minute)
    expect(await g.fetch(null)).toEqual({ 't/0': 1, 'u/0': 2 })
    await pass(g, 3 * minute)
    await expect.poll(() => g.fetch(null)).toEqual({ 'u/0': 2 })
    await pass(g, 30 * minute)
    await expect.poll(() => g.list()).toEqual([])
  })

  it('of a group without members go all at once, counted from when it became empty', async () => {
    const g = await withTopics()
    const { ids } = await g.stable(1)
    await g.commit({ t: 1 }, { memberId: ids[0], generationId: 1 })
    await pass(g, 90 * minute, () => g.heartbeat(ids[0], 1))
    expect(await g.fetch(null)).toEqual({ 't/0': 1 })
    await g.leave(ids[0])
    await pass(g, 58 * minute)
    expect(await g.fetch(null)).toEqual({ 't/0': 1 })
    await pass(g, 4 * minute)
    await expect.poll(() => g.list()).toEqual([])
    expect(await g.fetch(['t'])).toEqual({ 't/0': -1 })
  })

  it('of a group in use go for topics that no member wants', async () => {
    const g = await withTopics()
    await g.commit({ t: 1, u: 2 })
    const { ids } = await g.stable(1, { protocols: [{ name: 'range', metadata: subscription('t') }] })
    await pass(g, 62 * minute, () => g.heartbeat(ids[0], 1))
    await expect.poll(() => g.fetch(null)).toEqual({ 't/0': 1 })
    expect(await g.state()).toBe('Stable')
  })

  it('of a group whose members are no consumers stay while there are any', async () => {
    const g = await withTopics()
    await g.commit({ t: 1 })
    const protocols = [{ name: 'v0', metadata: Buffer.from('odd') }]
    const { ids } = await g.stable(1, { protocolType: 'connect', protocols })
    await pass(g, 62 * minute, () => g.heartbeat(ids[0], 1))
    expect(await g.fetch(null)).toEqual({ 't/0': 1 })
  })

  it('may be chosen by clients of old', async () => {
    const g = await withTopics()
    await g.commit({ t: 1 }, { version: 4, retentionMs: 5 * minute })
    await g.commit({ u: 2 })
    await pass(g, 7 * minute)
    await expect.poll(() => g.fetch(null)).toEqual({ 'u/0': 2 })
  })

  it('an empty group that committed nothing goes at the next look, and all of it after a restart too', async () => {
    const path = temporaryDirectory()
    const g = await TestGroups.open(path, { config })
    await g.it.createTopic('t')
    const { ids } = await g.stable(1)
    await g.leave(ids[0])
    expect(await g.list()).toEqual(['g'])
    await pass(g, 2 * minute)
    await expect.poll(() => g.list()).toEqual([])
    await g.group('h').commit({ t: 1 })
    await pass(g, 62 * minute)
    await expect.poll(() => g.list()).toEqual([])
    await g.it.broker.close()
    const again = await TestGroups.open(path, { config })
    expect(await again.list()).toEqual([])
  })

  it('are looked for again after a look that failed', async () => {
    const path = temporaryDirectory()
    const before = await TestGroups.open(path, { config })
    await before.it.createTopic('t')
    await before.commit({ t: 1 })
    await before.it.broker.close()
    const g = await TestGroups.open(path, { config })
    expect(await g.list()).toEqual(['g'])
    const full = { failNth: 1, sticky: true, pathIncludes: '__consumer_offsets', errno: 'ENOSPC' } as const
    openEngine().injectFaults({ ...full, kinds: ['write', 'reserve'] })
    try {
      await pass(g, 62 * minute)
      expect(await g.fetch(null)).toEqual({ 't/0': 1 })
    } finally {
      openEngine().injectFaults(null)
    }
    // The disk takes its own time.
    while ((await g.list()).length > 0) await pass(g, minute)
  })
})

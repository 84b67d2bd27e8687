import { describe, expect, type TestContext, test } from 'vitest'
import type { Assignor } from '../clients/foreign-client.js'
import { Feed } from './feed.js'
import { GroupWatch } from './group-watch.js'
import type { Bench } from './records.js'

type Statics = 'none' | 'killed' | 'closed' | 'closed or killed'

/** The shortest session that Kafka allows by default. */
const sessionMs = 6000

interface Scene {
  watch: GroupWatch
  feed: Feed
  topic: string
  partitions: string[]
}

/** A test's own hooks: the global ones do not know which of several running tests they belong to. */
type Hooks = Pick<TestContext, 'onTestFinished' | 'onTestFailed'>

async function scene(hooks: Hooks, bench: Bench, purpose: string, count: number, assignor: Assignor): Promise<Scene> {
  const { broker, client, createTopic } = bench
  const topic = await createTopic(purpose, count)
  const { bootstrap } = broker
  const watch = new GroupWatch(
    client,
    { bootstrap, group: `group-of-${topic}`, topics: [topic], assignor, sessionMs },
    broker,
  )
  hooks.onTestFinished(() => watch.close())
  hooks.onTestFailed(() => console.error(watch.story()))
  const feed = new Feed(client, { bootstrap, topic, partitions: count })
  hooks.onTestFinished(() => feed.stop().then(() => {}))
  return { watch, feed, topic, partitions: Array.from({ length: count }, (_, i) => `${topic}-${i}`) }
}

/** Ends the feed, lets the members finish, and checks what they were handed and what they committed. */
async function finish({ watch, feed, partitions }: Scene, promises: Promises): Promise<void> {
  const values = await feed.stop()
  if (promises === 'to the end') {
    const handedOut = () => [...watch.handedOut.values()].reduce((sum, end) => sum + Number(end), 0)
    await watch.until('every partition was handed out to its end', () => handedOut() >= values.length)
    expect([...watch.handedOut.keys()].sort()).toEqual([...partitions].sort())
    return
  }
  const seen = () => new Set(watch.delivered.map(({ value }) => value)).size
  await watch.until('every record was handed to a member', () => seen() === values.length)
  if (promises === 'commits are final') {
    // By offsets, not by values: a producer that is not idempotent may have written one twice.
    await watch.until('everything is committed', () =>
      [...watch.handedOut].every(([partition, end]) => watch.committed.get(partition) === end),
    )
    expect([...watch.committed.keys()].sort()).toEqual([...partitions].sort())
  }
  if (promises === 'at least once') watch.expectAtLeastOnce(values)
  else watch.expectNoneAfterCommit(values)
}

/**
 * What a client promises its user: every record; or also that none comes again once its commit was acknowledged, which
 * takes a client that tells of its commits and drops what it had read ahead when a partition goes to another member. One
 * that may commit what it has not handed out yet when it ends promises no more than that the group gets to the end.
 */
export type Promises = 'to the end' | 'at least once' | 'commits are final'

/**
 * Groups of 1, 3 and 10 with joins, leaves, restarts and kills. `statics`: whether the client knows static members, and
 * whether closing one keeps its place; by the consumer protocol a killed one keeps even its successor out, until its
 * session ends.
 */
export function groupTests(
  bench: () => Bench,
  {
    assignors,
    statics,
    promises = 'commits are final',
    title = 'groups',
  }: { assignors: Assignor[]; statics: Statics; promises?: Promises; title?: string },
): void {
  describe.concurrent(title, () => {
    test('of 1: leaves, comes back, and continues where it was', async (hooks) => {
      const now = await scene(hooks, bench(), 'one', 3, assignors[0] as Assignor)
      const { watch, partitions } = now
      const host = await watch.host()
      for (const member of ['first', 'second', 'third']) {
        await watch.join(host, member)
        await watch.untilShared(partitions)
        const before = watch.delivered.length
        await watch.until('some more records', () => watch.delivered.length > before + 50)
        if (member !== 'third') await watch.leave(member)
      }
      await finish(now, promises)
      if (promises === 'at least once') return
      // Left in an orderly way, with nothing in hand: nobody got anything twice.
      const total = [...watch.handedOut.values()].reduce((sum, end) => sum + end, 0)
      expect(watch.delivered.length).toBe(total)
    })

    test.for(assignors)('of 3, %s: joins, a leave, a kill', async (assignor, hooks) => {
      const now = await scene(hooks, bench(), `three-${assignor}`, 6, assignor)
      const { watch, partitions } = now
      const [host, doomed] = [await watch.host(), await watch.host()]
      await watch.join(host, 'a')
      await watch.untilShared(partitions)
      await watch.join(host, 'b')
      await watch.untilShared(partitions)
      await watch.join(doomed, 'c')
      await watch.untilShared(partitions)
      await watch.leave('b')
      await watch.untilShared(partitions)
      const before = watch.delivered.length
      await watch.until('some more records', () => watch.delivered.length > before + 50)
      await watch.kill(doomed)
      await watch.untilShared(partitions)
      await finish(now, promises)
    })

    test('of 10: all at once, then each restarted in turn', async (hooks) => {
      const now = await scene(hooks, bench(), 'ten', 20, assignors.at(-1) as Assignor)
      const { watch, partitions } = now
      const host = await watch.host()
      const names = Array.from({ length: 10 }, (_, i) => `m${i}`)
      await Promise.all(names.map((name) => watch.join(host, name)))
      await watch.untilShared(partitions)
      for (const name of names) {
        await watch.leave(name)
        await watch.join(host, `${name}-again`)
      }
      await watch.untilShared(partitions)
      const before = watch.delivered.length
      await watch.until('some more records', () => watch.delivered.length > before + 100)
      await finish(now, promises)
    })

    // Not registered for a client without static members: there is nothing to try, so nothing is skipped.
    if (statics !== 'none')
      test('of 3 static members: a restart and a kill within the session move no partition', async (hooks) => {
        const now = await scene(hooks, bench(), 'static', 6, assignors[0] as Assignor)
        const { watch, partitions } = now
        const [host, doomed] = [await watch.host(), await watch.host()]
        const longer = { sessionMs: 30_000 }
        await watch.join(host, 'a', { instance: 'one', ...longer })
        await watch.join(host, 'b', { instance: 'two', ...longer })
        await watch.join(doomed, 'c', { instance: 'three', ...longer })
        await watch.untilEven(partitions)
        const of = (member: string) => watch.assignmentOf(member)
        const [a, b, c] = [of('a'), of('b'), of('c')]
        const others = watch.events.filter((event) => event.on === 'assigned').length

        if (statics !== 'killed') {
          await watch.leave('b')
          await watch.join(host, 'b-again', { instance: 'two', ...longer })
          await watch.until('the restarted member has its partitions', () => of('b-again')?.join() === b?.join())
        }
        if (statics !== 'closed') {
          await watch.kill(doomed)
          await watch.join(await watch.host(), 'c-again', { instance: 'three', ...longer })
          await watch.until('the killed member has its partitions', () => of('c-again')?.join() === c?.join())
        }

        await finish(now, promises)
        expect(of('a')).toEqual(a)
        const later = watch.events.filter((event) => event.on === 'assigned').slice(others)
        if (statics === 'killed') {
          // This client's leader may join again by itself, on Apache Kafka too: those who stayed get what they had.
          const had: Record<string, string[] | null> = { a, b }
          for (const { member, partitions: given } of later) {
            if (member in had) expect(given.map((one) => `${one.topic}-${one.partition}`).sort()).toEqual(had[member])
          }
          return
        }
        // Who came back was assigned to; who stayed was not.
        expect(later.filter(({ member }) => member === 'a')).toEqual([])
      })
  })
}

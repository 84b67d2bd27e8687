import { expect, test } from 'vitest'
import { AssignedPartition } from '../../../ts/client/assigned-partition.js'
import { ConsumerHands, type Hand, type InHand } from '../../../ts/client/consumer-hands.js'
import { StallWatch } from '../../../ts/client/group/stall-watch.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { ManualTimers } from '../../broker/manual-timers.js'

function setUp() {
  const timers = new ManualTimers()
  let stoodStillMs = 0
  const clock = { now: () => timers.now() + stoodStillMs, after: timers.after }
  const hands = new ConsumerHands()
  const told: string[] = []
  const watch = new StallWatch(
    clock,
    hands,
    { eventLoopMs: () => 300, handlerMs: 1_000 },
    {
      eventLoop: (ms) => told.push(`event loop ${ms}`),
      handler: (ms, inHand) => told.push(`handler ${ms} ${inHand === null ? 'nothing' : inHand.offset}`),
    },
  )
  watch.start()
  /** As if code had run for so long: timers come late. */
  const block = (ms: number) => {
    stoodStillMs += ms
  }
  return { timers, hands, told, watch, block }
}

/** A loop that can hold a record. */
class FakeLoop implements Hand {
  inHand: InHand | null = null
  private readonly partition = new AssignedPartition('t', zeroUuid, 0, 0, 'error')

  hold(offset: number): void {
    this.inHand = { partition: this.partition, offset }
  }

  consume(): void {}
}

test('an event loop that was blocked', async () => {
  const { timers, hands, told, block } = setUp()
  hands.enter(new FakeLoop())
  await timers.advance(1_000)
  block(250)
  await timers.advance(100)
  expect(told).toEqual([])
  block(700)
  await timers.advance(100)
  expect(told).toEqual(['event loop 700'])
  await timers.advance(5_000)
  expect(told).toHaveLength(1)
})

test('a record that stays in hand, told once; the next one anew', async () => {
  const { timers, hands, told } = setUp()
  const loop = new FakeLoop()
  hands.enter(loop)
  for (let offset = 0; offset < 20; offset++) {
    loop.hold(offset)
    await timers.advance(900)
  }
  expect(told).toEqual([])
  await timers.advance(5_000)
  expect(told).toEqual(['handler 1100 19'])
  loop.hold(20)
  await timers.advance(5_000)
  expect(told).toEqual(['handler 1100 19', 'handler 1100 20'])
})

test('nobody who asks; a loop that waits for records is no idler', async () => {
  const { timers, hands, told, watch } = setUp()
  const loop = new FakeLoop()
  hands.enter(loop)
  await timers.advance(5_000)
  expect(told).toEqual([])
  hands.leave(loop)
  await timers.advance(5_000)
  expect(told).toEqual(['handler 1100 nothing'])
  watch.stop()
  watch.start()
  await timers.advance(900)
  watch.stop()
  await timers.advance(5_000)
  expect(told).toHaveLength(1)
  expect(timers.size).toBe(0)
})

test('of several loops the one that stays behind', async () => {
  const { timers, hands, told } = setUp()
  const loops = [new FakeLoop(), new FakeLoop()]
  for (const loop of loops) hands.enter(loop)
  loops[1].hold(7)
  for (let offset = 0; offset < 15; offset++) {
    loops[0].hold(offset)
    await timers.advance(100)
  }
  expect(told).toEqual(['handler 1100 7'])
})

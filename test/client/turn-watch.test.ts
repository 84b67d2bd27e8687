import { expect, test } from 'vitest'
import { turnWatch } from '../../ts/client/turn-watch.js'

/** Keeps up the loop by resolved promises until the watch says that the turn is long. */
async function useUp(): Promise<void> {
  while (!turnWatch.isLong) await Promise.resolve()
}

const deferred = () => new Promise<void>((resolve) => turnWatch.defer(resolve))
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a turn becomes long, and the next one begins anew', async () => {
  await useUp()
  expect(turnWatch.isLong).toBe(true)
  await turn()
  await turn()
  expect(turnWatch.isLong).toBe(false)
})

test('those that find it long take turns', async () => {
  const order: string[] = []
  const greedy = async (name: string) => {
    for (let round = 0; round < 5; round++) {
      await useUp()
      await deferred()
      order.push(name)
    }
  }
  await turn()
  await Promise.all([greedy('a'), greedy('b'), greedy('c')])
  expect(order.join('')).toBe(order.slice(0, 3).join('').repeat(5))
  expect([...order.slice(0, 3)].sort()).toEqual(['a', 'b', 'c'])
})

test('timers fire between those that wait in line', async () => {
  let fired = 0
  const timer = setInterval(() => fired++, 0)
  const seen: number[] = []
  await useUp()
  const waiting = [0, 1, 2].map(async () => {
    await deferred()
    seen.push(fired)
    await useUp()
  })
  await Promise.all(waiting)
  clearInterval(timer)
  expect(seen[2]).toBeGreaterThan(seen[1])
  expect(seen[1]).toBeGreaterThan(seen[0])
})

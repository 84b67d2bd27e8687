import { describe, expect, it } from 'vitest'
import { Deadline } from '../../ts/broker/deadline.js'
import { loopTimers } from '../../ts/broker/timers.js'
import { ManualTimers } from './manual-timers.js'

describe('a deadline', () => {
  it('passes once, when it is due', async () => {
    const timers = new ManualTimers()
    const passed: number[] = []
    const deadline = new Deadline(timers, () => passed.push(timers.now()))
    deadline.set(100)
    await timers.advance(99)
    expect(passed).toEqual([])
    await timers.advance(1000)
    expect(passed).toEqual([100])
    expect(deadline.isSet).toBe(false)
  })

  it('can be put off as often as one likes with one timer, brought forward, and cleared', async () => {
    const timers = new ManualTimers()
    const passed: number[] = []
    const deadline = new Deadline(timers, () => passed.push(timers.now()))
    for (let i = 0; i < 50; i++) {
      deadline.set(100)
      expect(timers.size).toBe(1)
      await timers.advance(10)
    }
    expect(passed).toEqual([])
    deadline.set(20)
    await timers.advance(100)
    expect(passed).toEqual([520])
    deadline.set(10)
    deadline.clear()
    expect(timers.size).toBe(0)
    await timers.advance(100)
    expect(passed).toEqual([520])
  })
})

describe('timers of the loop', () => {
  /** Keeps the event loop from doing anything. */
  const stall = (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end);
  }

  it('do not pass before what arrived in time is read', async () => {
    const order: string[] = []
    const deadline = new Deadline(loopTimers, () => order.push('expired'))
    deadline.set(20)
    // As a heartbeat on a socket: it can only be read once the loop polls again.
    setImmediate(() => {
      deadline.set(10_000)
      order.push('heard')
    })
    stall(60)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(order).toEqual(['heard'])
    deadline.clear()
  })

  it('give those time who had none in a long stall', async () => {
    const order: string[] = []
    const deadline = new Deadline(loopTimers, () => order.push('expired'))
    deadline.set(300)
    stall(900)
    // What a member in this process does about it takes a few turns of the loop.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    while (order.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(order).toEqual(['expired'])
  })

  it('pass when nothing came', async () => {
    const before = performance.now()
    await new Promise<void>((resolve) => loopTimers.after(20, resolve))
    expect(performance.now() - before).toBeGreaterThanOrEqual(19)
  })

  it('are cancelled in every phase', async () => {
    let called = 0
    const count = () => {
      called++
    }
    loopTimers.after(5, count).cancel()
    const due = loopTimers.after(1, count)
    stall(5)
    await new Promise((resolve) => setImmediate(resolve))
    due.cancel()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(called).toBe(0)
  })
})

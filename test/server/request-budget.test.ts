import { describe, expect, test } from 'vitest'
import { type BudgetReader, RequestBudget } from '../../ts/server/request-budget.js'

class Reader implements BudgetReader {
  receivedBytes = 0
  resumed = 0

  constructor(readonly budget: RequestBudget) {}

  /** True if it has to wait. */
  receive(bytes: number): boolean {
    this.receivedBytes += bytes
    this.budget.take(bytes)
    return this.budget.mustWait(this)
  }

  resumeReading(): void {
    this.resumed++
  }
}

const readers = (budget: RequestBudget, count: number) => Array.from({ length: count }, () => new Reader(budget))

describe('the budget for requests', () => {
  test('lets everyone read while there is room', () => {
    const budget = new RequestBudget(1000)
    const [a, b] = readers(budget, 2)
    expect(a.receive(500)).toBe(false)
    expect(b.receive(499)).toBe(false)
    expect(budget.usedBytes).toBe(999)
  })

  test('used up, lets one read at a time, until its request is whole', () => {
    const budget = new RequestBudget(1000)
    const [a, b, c] = readers(budget, 3)
    expect(a.receive(1000)).toBe(false)
    expect(b.receive(1)).toBe(true)
    expect(c.receive(1)).toBe(true)
    expect(a.receive(1)).toBe(false)
    budget.done(a)
    expect([b.resumed, c.resumed]).toEqual([1, 0])
    expect(b.receive(1)).toBe(false)
    expect(a.receive(1)).toBe(true)
  })

  test('lets all go on when there is room again, in their order', () => {
    const budget = new RequestBudget(200_000)
    const [a, b, c, d] = readers(budget, 4)
    a.receive(200_000)
    for (const one of [b, c, d]) expect(one.receive(10)).toBe(true)
    budget.give(100_000)
    expect([b.resumed, c.resumed, d.resumed]).toEqual([1, 1, 0])
    budget.give(100_000)
    expect(d.resumed).toBe(1)
  })

  test('is not held up by a favoured connection that brings next to nothing', () => {
    const budget = new RequestBudget(1000)
    const [slow, next] = readers(budget, 2)
    expect(slow.receive(1000)).toBe(false)
    expect(next.receive(10)).toBe(true)
    budget.tick()
    expect(next.resumed).toBe(1)
    expect(next.receive(20_000)).toBe(false)
    expect(slow.receive(1)).toBe(true)
    budget.tick()
    expect(slow.resumed).toBe(0)
    expect(next.receive(1)).toBe(false)
  })

  test('passes the favour on when the favoured connection is gone', () => {
    const budget = new RequestBudget(1000)
    const [a, b] = readers(budget, 2)
    a.receive(1000)
    b.receive(1)
    budget.leave(a)
    expect(b.resumed).toBe(1)
  })

  test('does not forget one that waits when an earlier request of its is answered', () => {
    const budget = new RequestBudget(1000)
    const [a, b] = readers(budget, 2)
    a.receive(1000)
    b.receive(10)
    budget.done(b)
    budget.give(10)
    expect(b.resumed).toBe(0)
    budget.give(1000)
    expect(b.resumed).toBe(1)
  })

  test('without a limit nobody waits', () => {
    const budget = new RequestBudget(Number.POSITIVE_INFINITY)
    const [a, b] = readers(budget, 2)
    expect(a.receive(1e12)).toBe(false)
    expect(b.receive(1e12)).toBe(false)
  })
})

import { expect, test } from 'vitest'
// @ts-expect-error a script without types
import { Figures } from '../../bench/broker/figures.mjs'
// @ts-expect-error a script without types
import { cost, rate } from '../../bench/broker/units.mjs'
// @ts-expect-error a script without types
import { readmeTable } from '../../bench/report/tables.mjs'

interface Row {
  name: string
  value: number
  unit: string
  peer?: string
  peerValue?: number
  ratio?: number
}

function reported(note: (figures: typeof Figures) => void): Row[] {
  const [figures, rows] = [new Figures(), [] as Row[]]
  note(figures)
  figures.report(
    (row: Row) => rows.push(row),
    () => true,
  )
  return rows
}

test('a ratio is the median of the rounds, not the ratio of the medians', () => {
  const [row] = reported((figures) => {
    const rounds = [
      [100, 50],
      [300, 100],
      [200, 400],
    ] as const
    for (const [round, [ours, theirs]] of rounds.entries()) {
      figures.note('speed', rate('MB/s'), 'seglog', round, ours)
      figures.note('speed', rate('MB/s'), 'kafka', round, theirs)
    }
  })
  expect(row).toEqual({ name: 'speed', value: 200, unit: 'MB/s', peer: 'kafka', peerValue: 100, ratio: 2 })
})

test('above 1 is better for us where less is better, too', () => {
  const [row] = reported((figures) => {
    figures.note('wait', cost('ms'), 'seglog', 0, 2)
    figures.note('wait', cost('ms'), 'kafka', 0, 10)
  })
  expect(row?.ratio).toBe(5)
})

test('a server alone is no race', () => {
  const rows = reported((figures) => figures.note('wait', cost('ms'), 'kafka', 0, 10))
  expect(rows).toEqual([{ name: 'wait', value: 10, unit: 'ms' }])
})

test('the short table holds the rows with a goal and those that Kafka wins', () => {
  const row = (name: string, ratio: number) => ({ name, value: 1, unit: 'x', peer: 'kafka', peerValue: 1, ratio })
  const rows = [row('small requests/s', 7), row('won without a goal', 2), row('lost', 0.9)]
  const table = readmeTable({ date: 'today', cpu: 'one', rows })
  expect(table).toContain('small requests/s')
  expect(table).toContain('| lost | 1 x | 1 x | 0.9x |')
  expect(table).not.toContain('won without a goal')
})

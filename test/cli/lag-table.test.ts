import { describe, expect, test } from 'vitest'
import { age, byTopic, partitionLines, topicLines } from '../../ts/cli/lag-table.js'
import { Redraw } from '../../ts/cli/redraw.js'

const lag = (topic: string, partition: number, behind: bigint | null, lagSeconds: number | null, groupId = 'g') => ({
  ...{ groupId, topic, partition, lagSeconds },
  lag: behind,
  committed: behind === null ? null : 10n,
  end: 10n + (behind ?? 0n),
  memberId: null,
  clientId: null,
  clientHost: null,
})

describe('lag by topic', () => {
  test('sums what is known; what is not known is no zero', () => {
    const rows = [lag('a', 0, 5n, 3), lag('a', 1, 7n, 90), lag('a', 2, null, null), lag('b', 0, null, null)]
    expect(byTopic(rows)).toEqual([
      { groupId: 'g', topic: 'a', partitions: 3, lag: 12n, lagSeconds: 90 },
      { groupId: 'g', topic: 'b', partitions: 1, lag: null, lagSeconds: null },
    ])
    expect(byTopic([lag('a', 0, 1n, 1, 'g'), lag('a', 0, 2n, 2, 'h')])).toHaveLength(2)
    expect(topicLines(byTopic(rows))).toEqual([
      'GROUP  TOPIC  PARTITIONS  LAG  BEHIND',
      'g      a               3   12    90 s',
      'g      b               1    -       -',
    ])
    expect(partitionLines([lag('a', 0, 1234n, 0)])).toEqual([
      'TOPIC  PARTITION  COMMITTED   END    LAG  BEHIND  MEMBER',
      'a              0         10  1244  1,234     0 s  -',
    ])
  })

  test.each([
    [null, '-'],
    [0, '0 s'],
    [119.9, '119 s'],
    [120, '2 min'],
    [7200, '2 h'],
    [172_800, '2 d'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(age(seconds)).toBe(text)
  })
})

describe('redraw', () => {
  const esc = String.fromCharCode(27)

  function screen(columns: number, rows: number) {
    const written: string[] = []
    const stream = { columns, rows, write: (text: string) => written.push(text) }
    return { written, redraw: new Redraw(stream as unknown as NodeJS.WriteStream) }
  }

  test('goes back over as many lines as it wrote', () => {
    const { written, redraw } = screen(80, 24)
    redraw.show(['a', 'b'])
    redraw.show(['c'])
    redraw.show(['d'])
    expect(written).toEqual(['a\nb\n', `${esc}[2A\r${esc}[Jc\n`, `${esc}[1A\r${esc}[Jd\n`])
  })

  test('cuts what would wrap or scroll away; styles have no width', () => {
    const { written, redraw } = screen(3, 3)
    redraw.show([`${esc}[1mabcdef${esc}[22m`, 'äöüß', 'lost'])
    expect(written).toEqual([`${esc}[1mabc${esc}[22m\näöü\n`])
  })
})

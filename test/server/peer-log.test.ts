import { expect, test } from 'vitest'
import { PeerLog } from '../../ts/server/peer-log.js'
import { LogLines } from '../broker/harness.js'

test('a flood of lines becomes a few and their number', () => {
  const lines = new LogLines()
  const log = new PeerLog(lines)
  for (let i = 0; i < 1000; i++) log.warn({ i }, 'a request is malformed', 5000 + i)
  expect(lines.lines).toHaveLength(20)
  log.tick(14_999)
  expect(lines.lines).toHaveLength(20)
  log.tick(15_001)
  expect(lines.lines.at(-1)).toMatchObject({ level: 'warn', fields: { lines: 980 } })
  log.warn({}, 'another', 15_002)
  expect(lines.lines.at(-1)).toMatchObject({ message: 'another' })
  log.tick(99_000)
  expect(lines.lines).toHaveLength(22)
})

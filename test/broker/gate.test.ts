import { expect, test } from 'vitest'
import { Gate } from '../../ts/broker/gate.js'
import { turnOfPromises } from './manual-timers.js'

test('a gate lets so many through at a time, in their order, failures among them', async () => {
  const gate = new Gate(2)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const all = [0, 1, 2, 3, 4].map((i) =>
    gate.run(() => {
      begun.push(i)
      return new Promise<number>((resolve, reject) => {
        ends[i] = (error) => (error === undefined ? resolve(i) : reject(error))
      })
    }),
  )
  const failed = expect(all[1]).rejects.toThrow('broken')
  await turnOfPromises()
  expect(begun).toEqual([0, 1])
  ends[1](new Error('broken'))
  await failed
  await turnOfPromises()
  expect(begun).toEqual([0, 1, 2])
  ends[0]()
  ends[2]()
  await turnOfPromises()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  ends[3]()
  ends[4]()
  expect(await Promise.all([all[0], all[2], all[3], all[4]])).toEqual([0, 2, 3, 4])
  expect(await gate.run(async () => 'free again')).toBe('free again')
})

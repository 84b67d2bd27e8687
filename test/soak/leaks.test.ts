import { describe, expect, test } from 'vitest'
import { leaksIn, type RestSample } from './leaks.js'

const megabyte = 1 << 20

/** A server at rest that has moved 300 MB a round over 400 connections. */
function sampleOf(round: number, values: Partial<RestSample> = {}): RestSample {
  return {
    sockets: 4,
    dataFiles: 8,
    deletedFiles: 0,
    otherFiles: 50,
    threads: 16,
    mappings: 200,
    dataMappings: 4,
    deletedMappings: 0,
    residentBytes: 150 * megabyte,
    anonymousBytes: 100 * megabyte,
    privateBytes: 110 * megabyte,
    heapBytes: 9 * megabyte,
    externalBytes: 3 * megabyte,
    movedBytes: round * 1200 * megabyte,
    connections: round * 400,
    ...values,
  }
}

/** Twelve rounds, each with what `values` say of it. */
function samplesWith(values: (round: number) => Partial<RestSample>): RestSample[] {
  return Array.from({ length: 12 }, (_, round) => sampleOf(round, values(round)))
}

describe('leaks', () => {
  test('a server that comes back to the same figures has none, though memory goes up and down', () => {
    expect(leaksIn(samplesWith(() => ({})))).toEqual([])
    const noise = [0, 9, 3, 12, 6, 1, 10, 4, 2, 11, 5, 8]
    const noisy = (round: number) => ({
      residentBytes: (150 + noise[round]!) * megabyte,
      mappings: 200 + noise[round]!,
    })
    expect(leaksIn(samplesWith(noisy))).toEqual([])
  })

  test('memory that is taken at the beginning and kept is none', () => {
    const warm = (round: number) => ({ residentBytes: (round < 4 ? 80 + 30 * round : 200) * megabyte })
    expect(leaksIn(samplesWith(warm))).toEqual([])
  })

  test.each(['residentBytes', 'anonymousBytes', 'privateBytes', 'heapBytes', 'externalBytes'] as const)(
    'one percent of the bytes served that stays in %s is one',
    (memory) => {
      const leaking = (round: number) => ({ [memory]: 100 * megabyte + round * 12 * megabyte })
      expect(leaksIn(samplesWith(leaking)).map((text) => text.split(':')[0])).toEqual([memory])
    },
  )

  test('so is a kilobyte of objects that each connection leaves behind', () => {
    const leaking = (round: number) => ({ heapBytes: 9 * megabyte + round * 400 * 1024 })
    expect(leaksIn(samplesWith(leaking)).join()).toMatch(
      /^heapBytes: 1\.6 MB more while 4800\.0 MB went over 1600 connections, 1\.0 MB allowed/,
    )
  })

  test.each(['sockets', 'dataFiles', 'otherFiles', 'threads', 'dataMappings'] as const)(
    'so is one of the %s each round',
    (count) => {
      const leaking = (round: number) => ({ [count]: 20 + round })
      expect(leaksIn(samplesWith(leaking)).map((text) => text.split(':')[0])).toEqual([count])
    },
  )

  test('a file that is deleted and still held at a rest point is one', () => {
    expect(leaksIn(samplesWith((round) => ({ deletedFiles: round === 7 ? 1 : 0 })))).toEqual([
      'deletedFiles: 0 0 0 0 0 0 0 1 0 0 0 0',
    ])
    expect(leaksIn(samplesWith((round) => ({ deletedMappings: round === 3 ? 1 : 0 })))).toHaveLength(1)
  })

  test('too few rest points tell nothing', () => {
    expect(() => leaksIn(samplesWith(() => ({})).slice(0, 5))).toThrow('too few')
  })
})

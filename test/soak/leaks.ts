import type { ProcessSample } from './process-sample.js'

/** What a server holds at a rest point: no connection, no topic that was there at the last one, no garbage. */
export interface RestSample extends ProcessSample {
  /** What JavaScript's objects take, and what lies outside of its heap on their behalf. Bytes. */
  readonly heapBytes: number
  readonly externalBytes: number
  /** Bytes that went over all connections so far, and how many of these there were. */
  readonly movedBytes: number
  readonly connections: number
}

type Count = 'sockets' | 'dataFiles' | 'otherFiles' | 'threads' | 'mappings' | 'dataMappings'
type Memory = 'residentBytes' | 'anonymousBytes' | 'privateBytes' | 'heapBytes' | 'externalBytes'

/** How far above those of the first half of the rest points the counts of the last one may be. */
const slack: Readonly<Record<Count, number>> = {
  sockets: 0,
  dataFiles: 2,
  otherFiles: 2,
  threads: 4,
  mappings: 60,
  dataMappings: 2,
}

/**
 * What memory may grow by: `noiseBytes`, since what an allocator keeps for itself differs from one rest point to the next,
 * or, where that is more, so much for each byte that went over a connection, and for each connection. A leak of one
 * percent of the bytes is twice that; in what JavaScript holds, which is known to the byte, so is one of 500 bytes a
 * connection.
 */
const growth: Readonly<Record<Memory, { noiseBytes: number; perByte: number; perConnection: number }>> = {
  residentBytes: { noiseBytes: 24 << 20, perByte: 0.005, perConnection: 0 },
  anonymousBytes: { noiseBytes: 24 << 20, perByte: 0.005, perConnection: 0 },
  privateBytes: { noiseBytes: 24 << 20, perByte: 0.005, perConnection: 0 },
  heapBytes: { noiseBytes: 1 << 20, perByte: 0, perConnection: 250 },
  externalBytes: { noiseBytes: 1 << 20, perByte: 0, perConnection: 250 },
}
const memories = Object.keys(growth) as Memory[]

export const fewestSamples = 6

/** What grows without end, in words; none where all is well. Throws where there are too few samples to tell. */
export function leaksIn(samples: readonly RestSample[]): string[] {
  if (samples.length < fewestSamples) throw new Error(`${samples.length} rest points are too few to find a leak by`)
  const third = Math.floor(samples.length / 3)
  const second = samples.slice(third, samples.length - third)
  const last = samples.slice(samples.length - third)
  return [...countsOf(samples), ...deletedIn(samples), ...memoryOf(second, last)]
}

/** How much more of each kind of memory is held in the last third of the samples than in the second. */
export function growthOf(samples: readonly RestSample[]): Record<Memory, { bytes: number; allowedBytes: number }> {
  const third = Math.floor(samples.length / 3)
  const second = samples.slice(third, samples.length - third)
  const last = samples.slice(samples.length - third)
  const grown = memories.map((memory) => [memory, growthBetween(second, last, memory)])
  return Object.fromEntries(grown)
}

function countsOf(samples: readonly RestSample[]): string[] {
  const first = samples.slice(0, samples.length >> 1)
  const end = samples.at(-1)!
  return (Object.keys(slack) as Count[]).flatMap((count) => {
    const most = Math.max(...first.map((sample) => sample[count]))
    if (end[count] <= most + slack[count]) return []
    return [`${count}: ${most} at the first rest points, ${end[count]} at the end (${listOf(samples, count)})`]
  })
}

function deletedIn(samples: readonly RestSample[]): string[] {
  return (['deletedFiles', 'deletedMappings'] as const).flatMap((count) =>
    samples.some((sample) => sample[count] > 0) ? [`${count}: ${listOf(samples, count)}`] : [],
  )
}

function memoryOf(second: readonly RestSample[], last: readonly RestSample[]): string[] {
  return memories.flatMap((memory) => {
    const { bytes, allowedBytes } = growthBetween(second, last, memory)
    if (bytes <= allowedBytes) return []
    const load = `${megabytes(between('movedBytes', second, last))} went over ${between('connections', second, last)} connections`
    const all = listOf([...second, ...last], memory)
    return [`${memory}: ${megabytes(bytes)} more while ${load}, ${megabytes(allowedBytes)} allowed (${all})`]
  })
}

function growthBetween(second: readonly RestSample[], last: readonly RestSample[], memory: Memory) {
  const { noiseBytes, perByte, perConnection } = growth[memory]
  const load = between('movedBytes', second, last) * perByte + between('connections', second, last) * perConnection
  return { bytes: between(memory, second, last), allowedBytes: Math.max(noiseBytes, load) }
}

/** From the middle of these samples to the middle of those. */
function between(name: keyof RestSample, second: readonly RestSample[], last: readonly RestSample[]): number {
  return median(last.map((sample) => sample[name])) - median(second.map((sample) => sample[name]))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function listOf(samples: readonly RestSample[], name: keyof RestSample): string {
  return samples.map((sample) => (name.endsWith('Bytes') ? megabytes(sample[name]) : sample[name])).join(' ')
}

function megabytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MB`
}

/** What writers were promised, and the comparison of it with what a log holds. */
import { open } from '../../ts/index.js'

export interface Promised {
  acks: string
  topic: string
  partition: number
  offset: bigint
  /** The offset is a lower bound. */
  orHigher?: boolean
  id: string
}

/** Parses a writer's output; a last line that the kill cut short was not promised. */
export function parseAcks(output: string): Promised[] {
  return output
    .slice(0, output.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.split(' ').length === 5)
    .map((line) => {
      const [acks = '', topic = '', partition = '', offset = '0', id = ''] = line.split(' ')
      return {
        acks,
        topic,
        partition: Number(partition),
        offset: BigInt(offset.replace('+', '')),
        orHigher: offset.endsWith('+'),
        id,
      }
    })
}

/**
 * Reads the whole directory and returns every broken promise in words: a record lost or elsewhere, an id twice, offsets
 * not dense. `required` says which acks levels must have survived.
 */
export async function brokenPromises(
  data: string,
  promised: readonly Promised[],
  required: readonly string[],
): Promise<string[]> {
  const broken: string[] = []
  const places = new Map<string, { where: string; offset: bigint }>()
  const log = await open(data)
  try {
    const admin = log.admin()
    for (const topic of await admin.listTopics()) {
      for (const { partition, earliest, latest } of await admin.listOffsets({ topic })) {
        let next = earliest
        if (latest === earliest) continue
        const consumer = log.consumer()
        await consumer.assign([{ topic, partition, offset: earliest }])
        for await (const message of consumer) {
          if (message.offset !== next)
            broken.push(`${topic}-${partition}: offset ${message.offset} where ${next} was due`)
          next = message.offset + 1n
          const id = message.key?.toString() ?? ''
          const place = { where: `${topic}-${partition}`, offset: message.offset }
          const earlier = places.get(id)
          if (earlier !== undefined) broken.push(`${id} twice: ${inWords(earlier)} and ${inWords(place)}`)
          places.set(id, place)
          if (next >= latest) break
        }
        await consumer.close()
      }
    }
  } finally {
    await log.close()
  }
  for (const { acks, topic, partition, offset, orHigher, id } of promised) {
    if (!required.includes(acks)) continue
    const place = places.get(id)
    const due = { where: `${topic}-${partition}`, offset }
    const kept = place?.where === due.where && (orHigher === true ? place.offset >= offset : place.offset === offset)
    if (kept) continue
    const found = place === undefined ? 'nowhere' : inWords(place)
    broken.push(`${id} (acks ${acks}) promised at ${inWords(due)}${orHigher ? ' or higher' : ''}, found ${found}`)
  }
  return broken
}

function inWords({ where, offset }: { where: string; offset: bigint }): string {
  return `${where}@${offset}`
}

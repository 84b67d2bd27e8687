import { describe, expect, it } from 'vitest'
import { parseMetaProperties, serializeMetaProperties } from '../../ts/log/meta-properties.js'
import { OffsetCheckpoint } from '../../ts/log/offset-checkpoint.js'
import { deletedFolderName, isDeletedFolder, parsePartitionFolder } from '../../ts/log/partition-folder.js'
import { parsePartitionMetadata, serializePartitionMetadata } from '../../ts/log/partition-metadata.js'
import { parseProducerSnapshot, serializeProducerSnapshot } from '../../ts/log/producer-snapshot.js'
import { planTemporaries, replacedBySwaps, segmentFileName, sortFolder } from '../../ts/log/segment-files.js'

/** CRC-32C bit by bit: an oracle that shares nothing with the engine. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('producer snapshot', () => {
  const entry = {
    producerId: 4001,
    producerEpoch: 2,
    lastSequence: 9,
    lastOffset: 1234,
    offsetDelta: 4,
    timestamp: 1_700_000_000_000,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  }
  const body = hex(
    '00000001 0000000000000fa1 0002 00000009 00000000000004d2 00000004 0000018bcfe56800 ffffffff ffffffffffffffff',
  )

  it('is version, CRC from byte 6, count, 46 bytes each', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32c(body))
    const expected = Buffer.concat([hex('0001'), crc, body])
    expect(serializeProducerSnapshot([entry], crc32c)).toEqual(expected)
    expect(parseProducerSnapshot(expected, crc32c, 'x')).toEqual([entry])
    expect(serializeProducerSnapshot([], crc32c)).toHaveLength(10)
  })

  it('refuses every flipped bit and every cut', () => {
    const good = serializeProducerSnapshot([entry], crc32c)
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good)
      bad[bit >> 3] ^= 1 << (bit & 7)
      expect(() => parseProducerSnapshot(bad, crc32c, 'x'), `bit ${bit}`).toThrowError(
        expect.objectContaining({ code: 'CORRUPT_LOG', path: 'x' }),
      )
    }
    for (let length = 0; length < good.length; length++) {
      expect(() => parseProducerSnapshot(good.subarray(0, length), crc32c, 'x')).toThrow()
    }
  })
})

describe('offset checkpoint', () => {
  it('is Kafka’s text', () => {
    const checkpoint = new OffsetCheckpoint()
    checkpoint.set('orders', 0, 15)
    checkpoint.set('a-b.c', 3, 9007199254740991)
    expect(checkpoint.serialize().toString()).toBe('0\n2\norders 0 15\na-b.c 3 9007199254740991\n')
    const again = OffsetCheckpoint.parse(checkpoint.serialize(), 'p')
    expect(again.get('a-b.c', 3)).toBe(9007199254740991)
    expect(again.get('a-b.c', 2)).toBeUndefined()
  })

  it('names the line at fault', () => {
    expect(() => OffsetCheckpoint.parse(Buffer.from('0\n1\norders x 15\n'), 'dir/f')).toThrow(
      /dir\/f.*'orders x 15' in line 3/,
    )
  })
})

describe('partition.metadata', () => {
  it('is Kafka’s text', () => {
    const id = 'bzLFT1pzRRuTwgGJSCc8Ng'
    expect(serializePartitionMetadata(id).toString()).toBe(`version: 0\ntopic_id: ${id}`)
    expect(parsePartitionMetadata(Buffer.from(`version: 0\ntopic_id: ${id}\n`), 'p')).toBe(id)
    expect(() => parsePartitionMetadata(Buffer.from(`version: 1\ntopic_id: ${id}`), 'p')).toThrow()
    expect(() => parsePartitionMetadata(Buffer.from('version: 0\ntopic_id: short'), 'p')).toThrow()
  })
})

describe('meta.properties', () => {
  it('reads what Java writes and what we write', () => {
    const java = '#\n#Tue Mar 04 10:00:00 UTC 2025\ncluster.id=abc\\=\ndirectory.id=q-_1\nnode.id=3\nversion=1\n'
    expect(parseMetaProperties(Buffer.from(java))).toEqual({ clusterId: 'abc=', nodeId: 3, directoryId: 'q-_1' })
    expect(parseMetaProperties(serializeMetaProperties('c', 0, 'd'))).toEqual({
      clusterId: 'c',
      nodeId: 0,
      directoryId: 'd',
    })
    expect(parseMetaProperties(Buffer.from('version=0\nbroker.id=5\n')).nodeId).toBe(5)
  })
})

describe('folder names', () => {
  it('finds partitions and nothing else', () => {
    expect(parsePartitionFolder('a-b-12')).toEqual({ topic: 'a-b', partition: 12 })
    expect(parsePartitionFolder('__consumer_offsets-49')).toEqual({ topic: '__consumer_offsets', partition: 49 })
    for (const name of [
      '__cluster_metadata-0',
      'orders',
      'orders-01',
      '-1',
      'orders-0.0123456789abcdef0123456789abcdef-delete',
      'orders-0.0123456789abcdef0123456789abcdef-stray',
      'orders-0.0123456789abcdef0123456789abcdef-future',
      '.ends',
      'a b-1',
      `${'x'.repeat(250)}-0`,
    ]) {
      expect(parsePartitionFolder(name), name).toBeNull()
    }
  })

  it('cuts a long topic so that the name on the way out fits a file system', () => {
    const name = deletedFolderName('t'.repeat(249), 10000)
    expect(name).toHaveLength(255)
    expect(isDeletedFolder(name)).toBe(true)
    expect(isDeletedFolder(deletedFolderName('orders', 0))).toBe(true)
    expect(isDeletedFolder('orders-delete')).toBe(false)
  })
})

describe('files of a partition', () => {
  const names = (base: number, ...suffixes: string[]): string[] =>
    suffixes.map((suffix) => segmentFileName(base, suffix))

  it('sorts what is there', () => {
    const folder = sortFolder([
      ...names(20, '.log', '.index', '.snapshot'),
      ...names(0, '.log', '.index', '.timeindex'),
      ...names(40, '.index', '.txnindex'),
      'leader-epoch-checkpoint',
      'partition.metadata',
    ])
    expect(folder.segments).toEqual([0, 20])
    expect(folder.snapshots).toEqual([20])
    expect(folder.orphans).toEqual(names(40, '.index', '.txnindex'))
    expect(folder.has(20, '.timeindex')).toBe(false)
  })

  it('drops swaps at or above the lowest .cleaned, keeps those below', () => {
    const plan = planTemporaries([
      ...names(0, '.log', '.log.swap', '.index.swap'),
      ...names(50, '.log', '.log.cleaned', '.log.swap'),
      ...names(70, '.log.deleted', '.log.swap'),
    ])
    expect(plan.swaps).toEqual(names(0, '.log.swap', '.index.swap'))
    expect(plan.remove.sort()).toEqual(
      [...names(50, '.log.cleaned', '.log.swap'), ...names(70, '.log.deleted', '.log.swap')].sort(),
    )
  })

  it('replaces what the swaps cover, to the end of the last one', () => {
    const all = [...names(0, '.log', '.index'), ...names(10, '.log'), ...names(20, '.log', '.snapshot'), 'x']
    expect(replacedBySwaps(all, 0, 20)).toEqual([...names(0, '.log', '.index'), ...names(10, '.log')])
  })
})

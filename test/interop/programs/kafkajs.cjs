// KafkaJS as the tests drive it; started with NODE_PATH on the folder that holds it.
const zlib = require('node:zlib')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, PartitionAssigners } = require('kafkajs')
const snappy = require('kafkajs-snappy')
const lz4 = require('lz4-napi')
const { now, tell, serve, text, runsOf } = require('./lines.cjs')

// KafkaJS brings gzip; the others are plug-ins. lz4-napi and Node's zstd need no compiler.
CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => lz4.compressFrameSync(encoder.buffer),
  decompress: async (buffer) => lz4.decompressFrameSync(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => zlib.zstdCompressSync(encoder.buffer),
  decompress: async (buffer) => zlib.zstdDecompressSync(buffer),
})
const compressionOf = { none: 'None', gzip: 'GZIP', snappy: 'Snappy', lz4: 'LZ4', zstd: 'ZSTD' }

const members = new Map()
let clients = 0

function kafka(bootstrap, retries = 8) {
  return new Kafka({
    clientId: `kafkajs-${process.pid}-${clients++}`,
    brokers: [bootstrap],
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries },
    // KafkaJS logs to stdout by default, which is for answers here.
    logCreator: () => (entry) => {
      if (entry.level > 2 && process.env.DEBUG_CLIENT === undefined) return
      process.stderr.write(`${entry.namespace}: ${entry.log.message} ${entry.log.error ?? ''}\n`)
    },
    logLevel: process.env.DEBUG_CLIENT === undefined ? 2 : 5,
  })
}

function toMessage({ partition, key, value, headers = [], timestamp }) {
  return {
    partition,
    key,
    value,
    headers: Object.fromEntries(headers),
    ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
  }
}

async function produce({ bootstrap, topic, records, codec = 'none', acks = 'all', idempotent, perBatch, patient }) {
  const producer = kafka(bootstrap, patient ? 500 : 8).producer({
    idempotent: idempotent === true,
    ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  try {
    for (const run of runsOf(records, perBatch ?? records.length)) {
      await producer.send({
        topic,
        acks: acks === 'all' ? -1 : acks,
        compression: CompressionTypes[compressionOf[codec]],
        messages: run.map(toMessage),
      })
    }
  } finally {
    await producer.disconnect()
  }
}

const partitionOffsets = (list) => list.map(({ partition, offset }) => ({ partition, offset: Number(offset) }))

async function consume({ bootstrap, topic, count, from }) {
  const client = kafka(bootstrap)
  const groupId = `kafkajs-read-${process.pid}-${clients}`
  const consumer = client.consumer({ groupId, maxBytesPerPartition: 4 << 20 })
  const found = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let enough
  const done = new Promise((resolve, reject) => {
    enough = resolve
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  })
  const begins = from === 'earliest' ? [] : partitionOffsets(await byTimestamp(client, topic, from.timestamp))
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const begin = begins.find((one) => one.partition === batch.partition)?.offset ?? 0
      for (const message of batch.messages) {
        if (Number(message.offset) >= begin) found.push(toFound(batch.partition, message))
      }
      if (found.length >= count) enough()
    },
  })
  for (const { partition, offset } of begins) consumer.seek({ topic, partition, offset: String(offset) })
  try {
    if (count > 0) await done
  } finally {
    await consumer.disconnect()
  }
  return found
}

function toFound(partition, { offset, key, value, headers, timestamp }) {
  const list = Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((one) => [name, text(one)]),
  )
  return {
    partition,
    offset: Number(offset),
    key: text(key),
    value: text(value),
    headers: list,
    timestamp: Number(timestamp),
  }
}

async function byTimestamp(client, topic, timestamp) {
  return withAdmin(client, (admin) => admin.fetchTopicOffsetsByTimestamp(topic, timestamp))
}

async function withAdmin(client, use) {
  const admin = client.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

async function join({ bootstrap, member, group, topics, assignor, sessionMs = 10_000 }) {
  if (assignor !== 'roundrobin') throw new Error(`KafkaJS has no ${assignor} assignor`)
  const consumer = kafka(bootstrap, 100).consumer({
    groupId: group,
    sessionTimeout: sessionMs,
    rebalanceTimeout: 15_000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200,
    partitionAssigners: [PartitionAssigners.roundRobin],
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, list]) =>
      list.map((partition) => ({ topic, partition })),
    )
    tell(member, 'assigned', { partitions })
  })
  // With `restart` it starts over by itself.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) tell(member, 'failed', { message: String(payload.error) })
  })
  members.set(member, consumer)
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, isRunning, isStale }) => {
      const { topic, partition } = batch
      // Small portions, so that joins and leaves meet a member at work.
      for (const run of runsOf(batch.messages, 20)) {
        if (!isRunning() || isStale()) return
        const at = now()
        const records = run.map(({ offset, value }) => ({
          topic,
          partition,
          offset: Number(offset),
          value: text(value),
        }))
        tell(member, 'records', { records }, at)
        const offset = records.at(-1).offset + 1
        await consumer.commitOffsets([{ topic, partition, offset: String(offset) }])
        tell(member, 'committed', { offsets: [{ topic, partition, offset }] })
        resolveOffset(String(offset - 1))
      }
    },
  })
}

async function leave({ member }) {
  const consumer = members.get(member)
  members.delete(member)
  await consumer?.disconnect()
}

const topicType = ConfigResourceTypes.TOPIC
const adminCalls = {
  createTopic: async (admin, { topic, partitions, configs = {}, replicas }) => {
    const made = await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic,
          numPartitions: partitions,
          ...(replicas ? { replicationFactor: replicas } : {}),
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    })
    // KafkaJS says so by `false`.
    if (!made) throw new Error('the topic exists')
  },
  listTopics: (admin) => admin.listTopics(),
  describeTopic: (admin, { topic }) => admin.fetchTopicMetadata({ topics: [topic] }),
  deleteTopic: (admin, { topic }) => admin.deleteTopics({ topics: [topic] }),
  createPartitions: (admin, { topic, count }) => admin.createPartitions({ topicPartitions: [{ topic, count }] }),
  offsets: (admin, { topic }) => admin.fetchTopicOffsets(topic),
  offsetsByTime: (admin, { topic, timestamp }) => admin.fetchTopicOffsetsByTimestamp(topic, timestamp),
  deleteRecords: async (admin, { topic, partition, offset }) => {
    // Without it the call finds no metadata of the topic.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  },
  describeConfig: async (admin, { topic }) => {
    const { resources } = await admin.describeConfigs({ resources: [{ type: topicType, name: topic }] })
    return Object.fromEntries(resources[0].configEntries.map((entry) => [entry.configName, entry.configValue]))
  },
  describeBrokerConfig: async (admin, { broker }) => {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: ConfigResourceTypes.BROKER, name: String(broker) }],
    })
    return Object.fromEntries(resources[0].configEntries.map((entry) => [entry.configName, entry.configValue]))
  },
  alterConfig: (admin, { topic, configs }) =>
    admin.alterConfigs({
      resources: [
        {
          type: topicType,
          name: topic,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  describeCluster: (admin) => admin.describeCluster(),
  listGroups: (admin) => admin.listGroups(),
  describeGroup: async (admin, { group }) => {
    const { groups } = await admin.describeGroups([group])
    const [{ state, protocol, protocolType, members }] = groups
    return { state, protocol, protocolType, members: members.map(({ memberId, clientId }) => ({ memberId, clientId })) }
  },
  groupOffsets: async (admin, { group, topic }) => {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    return found.partitions
  },
  setGroupOffsets: (admin, { group, topic, offsets }) =>
    admin.setOffsets({
      groupId: group,
      topic,
      partitions: offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
    }),
  resetGroupOffsets: (admin, { group, topic, earliest }) => admin.resetOffsets({ groupId: group, topic, earliest }),
  deleteGroup: (admin, { group }) => admin.deleteGroups([group]),
  describeAcls: (admin) =>
    admin.describeAcls({ resourceType: 1, resourcePatternType: 1, operation: 1, permissionType: 1 }),
  createAcls: (admin, { topic }) =>
    admin.createAcls({
      acl: [
        {
          resourceType: 2,
          resourceName: topic,
          resourcePatternType: 3,
          principal: 'User:someone',
          host: '*',
          operation: 2,
          permissionType: 3,
        },
      ],
    }),
  listReassignments: (admin) => admin.listPartitionReassignments({}),
}

serve(
  {
    produce,
    consume,
    join,
    leave,
    admin: ({ bootstrap, what, ...args }) => withAdmin(kafka(bootstrap), (admin) => adminCalls[what](admin, args)),
  },
  async () => {
    await Promise.all([...members.keys()].map((member) => leave({ member })))
  },
)

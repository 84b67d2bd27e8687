// @platformatic/kafka as the tests drive it; SEGLOG_CLIENT is the folder that holds it.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const { tell, serve, text, runsOf, inWords } = require('./lines.cjs')
const library = createRequire(`${process.env.CLIENT_FOLDER}/`).resolve('@platformatic/kafka')
const { Admin, Consumer, Producer } = await import(pathToFileURL(library))

// Its connections may fail where nobody listens.
process.on('uncaughtException', (error) => process.stderr.write(`stray: ${inWords(error)}\n`))

const members = new Map()
let clients = 0

function common(bootstrap, more = {}) {
  clients += 1
  return {
    clientId: `platformatic-${process.pid}-${clients}`,
    bootstrapBrokers: [bootstrap],
    retries: 8,
    retryDelay: 100,
    ...more,
  }
}

async function produce({ bootstrap, topic, records, codec = 'none', acks = 'all', idempotent, perBatch, patient }) {
  const producer = new Producer(
    common(bootstrap, {
      autocreateTopics: false,
      ...(patient ? { retries: 500, retryDelay: 100, timeout: 5000 } : {}),
    }),
  )
  try {
    for (const run of runsOf(records, perBatch ?? records.length)) {
      await producer.send({
        acks: acks === 'all' ? -1 : acks,
        compression: codec,
        ...(idempotent ? { idempotent: true } : {}),
        messages: run.map(({ partition, key, value, headers = [], timestamp }) => ({
          topic,
          partition,
          ...(key === null ? {} : { key: Buffer.from(key) }),
          ...(value === null ? {} : { value: Buffer.from(value) }),
          headers: new Map(headers.map(([name, one]) => [Buffer.from(name), Buffer.from(one)])),
          ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
        })),
      })
    }
  } finally {
    await producer.close()
  }
}

/** Reads under a group of its own, as this client always does; with one member it is assigned everything. */
async function consume({ bootstrap, topic, count, from }) {
  const options = common(bootstrap, { groupId: `platformatic-read-${process.pid}-${clients}`, maxWaitTime: 200 })
  const consumer = new Consumer({ ...options, maxBytes: 8 << 20 })
  const found = []
  try {
    const timestamp = from === 'earliest' ? -2n : BigInt(from.timestamp)
    const begins = await consumer.listOffsets({ topics: [topic], timestamp })
    const offsets = begins.get(topic).map((offset, partition) => ({ topic, partition, offset }))
    const stream = await consumer.consume({ topics: [topic], mode: 'manual', offsets, autocommit: false })
    for await (const message of stream) {
      found.push(toFound(message))
      if (found.length >= count) break
    }
  } finally {
    await consumer.close(true)
  }
  return found
}

function toFound({ partition, offset, key, value, headers, timestamp }) {
  return {
    partition,
    offset: Number(offset),
    key: text(key),
    value: text(value),
    headers: [...headers].map(([name, one]) => [text(name), text(one)]),
    timestamp: Number(timestamp),
  }
}

async function join({ bootstrap, member, group, topics, assignor, instance, sessionMs = 10_000 }) {
  if (assignor !== 'roundrobin') throw new Error(`this client has no ${assignor} assignor`)
  const consumer = new Consumer(
    common(bootstrap, {
      groupId: group,
      sessionTimeout: sessionMs,
      rebalanceTimeout: Math.max(15_000, sessionMs),
      heartbeatInterval: 500,
      maxWaitTime: 200,
      ...(instance ? { groupInstanceId: instance } : {}),
    }),
  )
  const seat = { consumer, leaving: false, atWork: Promise.resolve() }
  members.set(member, seat)
  let generation = 0
  consumer.on('consumer:group:join', ({ assignments }) => {
    generation += 1
    const partitions = assignments.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    tell(member, 'assigned', { partitions })
  })
  work(seat, member, topics, () => generation).catch((error) => {
    if (!seat.leaving) tell(member, 'failed', { message: inWords(error) })
  })
}

async function work(seat, member, topics, generationNow) {
  const { consumer } = seat
  const stream = await consumer.consume({ topics, mode: 'committed', fallbackMode: 'earliest', autocommit: false })
  for await (const message of stream) {
    if (seat.leaving) continue
    seat.atWork = handOut(consumer, member, message, generationNow)
    await seat.atWork
  }
}

async function handOut(consumer, member, { topic, partition, offset, value }, generationNow) {
  const generation = generationNow()
  tell(member, 'records', { records: [{ topic, partition, offset: Number(offset), value: text(value) }] })
  try {
    await consumer.commit({ offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch: -1 }] })
    tell(member, 'committed', { offsets: [{ topic, partition, offset: Number(offset) + 1 }] })
  } catch (error) {
    // A rebalance came between: whoever has the partition now gets the record again.
    if (generation === generationNow() && !/rebalance|generation|member/i.test(inWords(error))) throw error
  }
}

async function leave({ member }) {
  const seat = members.get(member)
  if (seat === undefined) return
  members.delete(member)
  seat.leaving = true
  // A close amid a commit may never end.
  await seat.atWork.catch(() => {})
  // Out of the group is enough: closing its connections afterwards does not always end.
  const left = new Promise((resolve) => seat.consumer.once('consumer:group:leave', resolve))
  await Promise.race([left, seat.consumer.close(true)])
}

const topicType = 2
const adminCalls = {
  createTopic: (admin, { topic, partitions, configs = {}, replicas }) =>
    admin.createTopics({
      topics: [topic],
      partitions,
      ...(replicas ? { replicas } : {}),
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }),
  listTopics: (admin) => admin.listTopics(),
  describeTopic: async (admin, { topic }) => {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
    return topics.get(topic)
  },
  deleteTopic: (admin, { topic }) => admin.deleteTopics({ topics: [topic] }),
  createPartitions: (admin, { topic, count }) =>
    admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] }),
  offsets: (admin, { topic, partitions }) => listOffsets(admin, topic, partitions, -1n),
  offsetsByTime: (admin, { topic, partitions, timestamp }) => listOffsets(admin, topic, partitions, BigInt(timestamp)),
  deleteRecords: (admin, { topic, partition, offset }) =>
    admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(offset) }] }] }),
  describeConfig: (admin, { topic }) => describeConfig(admin, topicType, topic),
  describeBrokerConfig: (admin, { broker }) => describeConfig(admin, 4, String(broker)),
  alterConfig: (admin, { topic, configs }) =>
    admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: topicType,
          resourceName: topic,
          configs: Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: 0 })),
        },
      ],
    }),
  replaceConfig: (admin, { topic, configs }) =>
    admin.alterConfigs({
      resources: [
        {
          resourceType: topicType,
          resourceName: topic,
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  describeCluster: async (admin) => {
    const { id, brokers, controllerId } = await admin.metadata({ forceUpdate: true })
    return { id, controllerId, brokers: [...brokers.keys()] }
  },
  listGroups: async (admin) => [...(await admin.listGroups()).values()],
  describeGroup: async (admin, { group }) => {
    const found = (await admin.describeGroups({ groups: [group] })).get(group)
    return { ...found, members: [...found.members.values()].map(({ id, clientId }) => ({ memberId: id, clientId })) }
  },
  groupOffsets: async (admin, { group }) => {
    const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
    return found.topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => ({ partition: partitionIndex, offset: committedOffset })),
    )
  },
  setGroupOffsets: (admin, { group, topic, offsets }) =>
    admin.alterConsumerGroupOffsets({
      groupId: group,
      topics: [
        {
          name: topic,
          partitionOffsets: offsets.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
        },
      ],
    }),
  deleteGroupOffsets: (admin, { group, topic, partitions }) =>
    admin.deleteConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionIndexes: partitions }] }),
  deleteGroup: (admin, { group }) => admin.deleteGroups({ groups: [group] }),
  logDirs: (admin, { topic, partitions }) =>
    admin.describeLogDirs({ topics: [{ name: topic, partitions: Array.from({ length: partitions }, (_, i) => i) }] }),
  quotas: (admin) => admin.describeClientQuotas({ components: [], strict: false }),
  describeAcls: (admin) =>
    admin.describeAcls({
      filter: {
        resourceType: 1,
        resourceName: null,
        resourcePatternType: 1,
        principal: null,
        host: null,
        operation: 1,
        permissionType: 1,
      },
    }),
  createAcls: (admin, { topic }) =>
    admin.createAcls({
      creations: [
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
}

async function listOffsets(admin, topic, partitions, timestamp) {
  const places = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
  const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions: places }] })
  return found.partitions.map(({ partitionIndex, offset }) => ({ partition: partitionIndex, offset }))
}

async function describeConfig(admin, resourceType, resourceName) {
  const [found] = await admin.describeConfigs({ resources: [{ resourceType, resourceName, configurationKeys: null }] })
  return Object.fromEntries(found.configs.map(({ name, value }) => [name, value]))
}

async function withAdmin(bootstrap, use) {
  const admin = new Admin(common(bootstrap, { retries: 3 }))
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

serve(
  {
    produce,
    consume,
    join,
    leave,
    admin: ({ bootstrap, what, ...args }) => withAdmin(bootstrap, (admin) => adminCalls[what](admin, args)),
  },
  async () => {
    await Promise.all([...members.keys()].map((member) => leave({ member })))
  },
)
